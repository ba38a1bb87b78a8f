"""Figures of part 1: graphs and what they assert, and Laplace distributions that approximate a normal posterior."""

import networkx as nx
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from scipy import stats

from common.figures import BLUE, ORANGE, open_axes
from pgm_tfp import catalogue
from pgm_tfp.independence import Independence, without
from pgm_tfp.markov import moralize
from pgm_tfp.plots import Panel, graph_panels
from pgm_tfp.plots.independence_panels import panels_of

WIDTH = 7.6  # inches
SMALLEST = 9  # points
MARGIN = 0.16  # around a diagram, as a share of it: a page is smaller than `graph_panels` would make it
SERVER_ROOM = ("O _|_ A", "O _|_ A | M", "S _|_ M", "S _|_ M | O")
MARKOV_NETWORK = ("I _|_ F", "B _|_ I | F", "A _|_ G | C, E", "B _|_ F | C, D")


def figures() -> dict[str, Figure]:
    """The figures of the pages 1.1 to 1.5, by file name."""
    return {
        "theory_server_room.png": server_room(),
        "theory_server_room_verdicts.png": server_room_verdicts(),
        "theory_markov_network.png": markov_network(),
        "theory_moral_graph.png": moral_graph(),
        "theory_deleted_edge.png": deleted_edge(),
        "theory_laplace_posterior.png": laplace_posterior(),
    }


def server_room() -> Figure:
    """The Bayesian network of page 1.1."""
    return _sized([Panel(catalogue.server_room().graph)], width=3.4, height=2.8)


def server_room_verdicts() -> Figure:
    """The four questions of page 1.1, each with its trail."""
    network = catalogue.server_room()
    panels = [panels_of(network, Independence.parse(text))[0] for text in SERVER_ROOM]
    return _sized([panel._replace(note="") for panel in panels], width=WIDTH, height=2.6)


def markov_network() -> Figure:
    """The four questions of page 1.2, each with the path or the cut that decides it."""
    network = catalogue.assignment_markov_network()
    panels = [panels_of(network, Independence.parse(text))[0] for text in MARKOV_NETWORK]
    return _sized([panel._replace(note="") for panel in panels], width=WIDTH, height=5.4, columns=2)


def moral_graph() -> Figure:
    """The Bayesian network of page 1.3, its moral graph, and a cycle without a chord."""
    network = catalogue.assignment_bayesian_network()
    moral = moralize(network).graph
    added = [("x2", "x3"), ("x4", "x6")]
    panels = [
        Panel(network.graph, "Bayesian network"),
        Panel(moral, "moral graph", added=added),
        Panel(moral, "not chordal", path=["x2", "x4", "x6", "x5", "x2"]),
    ]
    return _sized(panels, width=WIDTH, height=3.2)


def deleted_edge() -> Figure:
    """Page 1.4 for a Bayesian network: the graph with the edge x -> y, and the trails that remain without it."""
    graph = nx.DiGraph([("u", "x"), ("u", "y"), ("x", "y"), ("y", "w"), ("x", "w")])
    panels = [
        Panel(graph, "with the edge: active", observed=["u"], path=["x", "y"]),
        Panel(without(graph, ("x", "y")), "edge deleted: blocked at u", "", ["u"], ["x", "u", "y"], ["u"]),
        Panel(without(graph, ("x", "y")), "edge deleted: blocked at w", "", ["u"], ["x", "w", "y"], ["w"]),
    ]
    return _sized(panels, width=WIDTH, height=3.0)


def laplace_posterior() -> Figure:
    """Page 1.5: the standardised posterior, and for each divergence the Laplace distribution that minimises it."""
    posterior = stats.norm()
    surrogates = {
        "smallest KL(q || p)": (stats.laplace(scale=1 / np.sqrt(2)), BLUE, "-"),
        "smallest KL(p || q)": (stats.laplace(scale=np.sqrt(2 / np.pi)), ORANGE, "--"),
    }
    points = np.linspace(-4.5, 4.5, 901)
    figure = Figure(figsize=(WIDTH, 3.1), layout="constrained")
    density, logarithm = figure.subplots(1, 2)
    density.fill_between(points, posterior.pdf(points), color="#c9ced6", label="exact posterior p")
    logarithm.fill_between(points, posterior.logpdf(points), -11, color="#c9ced6")
    for name, (surrogate, colour, style) in surrogates.items():
        density.plot(points, surrogate.pdf(points), style, color=colour, label=name, linewidth=1.6)
        logarithm.plot(points, surrogate.logpdf(points), style, color=colour, linewidth=1.6)
    _labelled(density, "density", (0, 1.02))
    _labelled(logarithm, "log density (nats)", (-10.5, 0.3))
    density.legend(frameon=False, fontsize=SMALLEST, loc="upper left", borderaxespad=0.0)
    return figure


def _labelled(axes: Axes, quantity: str, limits: tuple[float, float]) -> None:
    axes.set(ylim=limits, xlim=(-4.5, 4.5))
    axes.set_xlabel("z1, in posterior standard deviations from m", fontsize=SMALLEST)
    axes.set_ylabel(quantity, fontsize=SMALLEST)
    axes.tick_params(labelsize=SMALLEST)
    open_axes(axes, "both")


def _sized(panels: list[Panel], width: float, height: float, columns: int = 4) -> Figure:
    """Diagrams at the size of a page, without title and caption; the page itself has these."""
    figure = graph_panels(panels, "", "", columns)
    figure.set_size_inches(width, height)
    for axes in figure.axes:
        axes.margins(MARGIN)
    for text in figure.findobj(Text):
        text.set_fontsize(max(text.get_fontsize(), SMALLEST))
    return figure
