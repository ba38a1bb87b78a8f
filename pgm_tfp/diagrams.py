"""Diagrams of graphs that mark observed variables, active paths and blocked paths."""

import textwrap
from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import networkx as nx
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath
from scipy.spatial.distance import pdist

from common.figures import BLUE, ORANGE, title_and_caption
from common.files import atomic_write
from pgm_tfp.graphs import Edge

INK, OBSERVED, FREE = "#333333", "#c9ced6", "#ffffff"
PANEL = (3.6, 3.5)  # inches
SMALLEST_CIRCLE = 25.0  # diameter, in points
POINTS_PER_INCH = 72
BORDER = 0.9  # on each side of the variables, in diameters
APART = 1.5  # the least distance between two variables, in diameters
WIDEST = 40.0  # inches of a figure; in a larger one the labels of a large network would be lost, too
LINE = 1.25  # height of a line, in sizes of its font
LONGEST_LINE = 12  # characters of a name on one line
DOTS_PER_INCH = 160
CHARACTERS = 44  # of a note, on a line of a panel


class Panel(NamedTuple):
    """One graph and its marks.

    Attributes:
        graph: directed or not.
        title: above the diagram.
        note: below the diagram.
        observed: variables that are drawn grey.
        path: nodes of a path that is drawn thick.
        blocking: nodes that block the path; their borders are the thickest.
        added: new edges, drawn dashed.
    """

    graph: nx.Graph
    title: str = ""
    note: str = ""
    observed: Collection[str] = ()
    path: Sequence[str] = ()
    blocking: Collection[str] = ()
    added: Collection[Edge] = ()


def graph_panels(panels: Sequence[Panel], title: str, caption: str, columns: int = 2) -> Figure:
    """Diagrams side by side. Graphs over the same variables have the same layout.

    Every name fits into its circle. Circles are as large as the longest name needs, and panels as large as the circles
    need.
    """
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    places: dict[frozenset[str], dict[str, np.ndarray]] = {}
    for panel in panels:
        if frozenset(panel.graph) not in places:
            places[frozenset(panel.graph)] = layout(panel.graph)
    circles = {variables: Circles.of(variables) for variables in places}
    figure = Figure(figsize=(max(PANEL[0] * columns, 5.5), PANEL[1] * rows + 0.6), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, panel in zip(grid.flat, panels, strict=False):
        variables = frozenset(panel.graph)
        _draw(axes, panel, places[variables], circles[variables])
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    title_and_caption(figure, title, caption)
    room = np.max([_room(where, circles[variables].diameter) for variables, where in places.items()], axis=0)
    figure.draw_without_rendering()  # decides how much room the texts leave for the diagrams
    has = grid.flat[0].get_window_extent().size * POINTS_PER_INCH / figure.dpi
    more = np.maximum(room - has, 0)
    figure.set_size_inches(np.minimum(figure.get_size_inches() + more * (columns, rows) / POINTS_PER_INCH, WIDEST))
    for axes, panel in zip(grid.flat, panels, strict=False):
        border = BORDER * circles[frozenset(panel.graph)].diameter
        axes.margins(*border / (has + more - 2 * border))
    return figure


def drawing(graph: nx.Graph, path: str | Path | None = None, title: str = "") -> Figure:
    """The diagram of one graph; also saved if there is a path, whose suffix chooses the format."""
    figure = graph_panels([Panel(graph)], title, "")
    if path is not None:
        with atomic_write(Path(path)) as temporary:
            figure.savefig(temporary, dpi=DOTS_PER_INCH)
    return figure


class Circles(NamedTuple):
    """The circles of all variables of a graph.

    Attributes:
        labels: the name of each variable, on several lines if it is long.
        font: size of the labels, in points.
        diameter: of each circle, in points.
    """

    labels: dict[str, str]
    font: float
    diameter: float

    @classmethod
    def of(cls, variables: Collection[str]) -> "Circles":
        """Circles that hold the longest of these names."""
        labels = {
            name: textwrap.fill(str(name).replace("_", "_ "), LONGEST_LINE).replace("_ ", "_") for name in variables
        }
        lines = [label.splitlines() or [""] for label in labels.values()]
        longest = max(len(line) for label in lines for line in label)
        font = 10.0 if longest <= 3 else 8.0
        corners = [np.hypot(max(_width(line, font) for line in label), LINE * font * len(label)) for label in lines]
        return cls(labels, font, max(SMALLEST_CIRCLE, float(max(corners)) + 4))


def _width(text: str, font: float) -> float:
    """The width of a text, in points."""
    return TextToPath().get_text_width_height_descent(text, FontProperties(size=font), ismath=False)[0]


def _room(places: dict[str, np.ndarray], diameter: float) -> np.ndarray:
    """Width and height, in points, of a diagram in which no two circles of this diameter touch."""
    points = np.stack([*places.values()])
    scale = APART * diameter / pdist(points).min() if len(points) > 1 else 0.0  # points per unit
    return scale * np.ptp(points, axis=0) + 2 * BORDER * diameter


def layout(graph: nx.Graph) -> dict[str, np.ndarray]:
    """A place for each variable: directed edges point downwards, undirected graphs spread by distance."""
    if not graph.is_directed():
        flat, plane = nx.check_planarity(graph)  # a start without crossings mostly ends without crossings
        return nx.kamada_kawai_layout(graph, pos=nx.planar_layout(plane) if flat else None)
    places: dict[str, np.ndarray] = {}
    for depth, generation in enumerate(nx.topological_generations(graph)):
        wanted = {node: _mean_of_parents(graph, node, places) for node in generation}
        ordered = sorted(generation, key=lambda node: wanted[node]) if depth else list(generation)
        xs = np.arange(len(ordered), dtype=float)
        middle = np.mean([wanted[node] for node in ordered]) if depth else xs.mean()
        for x, node in zip(xs - xs.mean() + middle, ordered, strict=True):
            # Every other layer is tilted a little, so that no edge runs through a node that it does not join.
            places[node] = np.array([x + 0.18 * (depth % 2), -depth - 0.12 * (x - middle)])
    return places


def _mean_of_parents(graph: nx.DiGraph, node: str, places: dict[str, np.ndarray]) -> float:
    parents = [places[parent][0] for parent in graph.predecessors(node)]
    return float(np.mean(parents)) if parents else 0.0


def _draw(axes: Axes, panel: Panel, places: dict[str, np.ndarray], circles: Circles) -> None:
    graph, on_path = panel.graph, {frozenset(edge) for edge in pairwise(panel.path)}
    added = {frozenset(edge) for edge in panel.added}
    colour = ORANGE if panel.blocking else BLUE
    kinds: dict[str, list[Edge]] = {"plain": [], "added": [], "path": []}
    for edge in graph.edges:
        ends = frozenset(edge)
        kinds["path" if ends in on_path else "added" if ends in added else "plain"].append(edge)
    looks = {
        "plain": {"edge_color": INK, "width": 1.1},
        "added": {"edge_color": ORANGE, "width": 2.0, "style": "--"},
        "path": {"edge_color": colour, "width": 3.0},
    }
    arrows = {"arrowsize": 14} if graph.is_directed() else {}
    size = circles.diameter**2  # networkx gives areas, in square points
    for kind, edges in kinds.items():
        nx.draw_networkx_edges(graph, places, edgelist=edges, ax=axes, node_size=size, **arrows, **looks[kind])
    nodes = list(graph)
    nx.draw_networkx_nodes(
        graph,
        places,
        nodelist=nodes,
        ax=axes,
        node_size=size,
        node_color=[OBSERVED if node in panel.observed else FREE for node in nodes],
        edgecolors=[colour if node in panel.blocking or node in panel.path else INK for node in nodes],
        linewidths=[_border(panel, node) for node in nodes],
    )
    nx.draw_networkx_labels(graph, places, circles.labels, ax=axes, font_size=circles.font)
    axes.set_title(panel.title, fontsize=10)
    axes.text(
        0.5, -0.02, textwrap.fill(panel.note, CHARACTERS), transform=axes.transAxes, ha="center", va="top", fontsize=8,
        color=INK,
    )  # fmt: skip
    axes.set_axis_off()


def _border(panel: Panel, node: str) -> float:
    """The width of a node's border: widest for a node that blocks, less wide on an active path."""
    if node in panel.blocking:
        return 4.0
    return 2.8 if node in panel.path and not panel.blocking else 1.1
