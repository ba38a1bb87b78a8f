"""Diagrams of graphs that mark observed variables, active paths and blocked paths."""

import textwrap
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import NamedTuple

import networkx as nx
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from common.figures import BLUE, ORANGE, title_and_caption
from pgm_tfp.graphs import Edge

INK, OBSERVED, FREE = "#333333", "#c9ced6", "#ffffff"
PANEL = (3.6, 3.5)  # inches
SIZE = 620  # of a node, in square points
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


def graph_panels(panels: Sequence[Panel], title: str, caption: str, columns: int = 4) -> Figure:
    """Diagrams side by side. Graphs over the same variables have the same layout."""
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(max(PANEL[0] * columns, 5.5), PANEL[1] * rows + 0.6), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    places: dict[frozenset[str], dict[str, np.ndarray]] = {}
    for axes, panel in zip(grid.flat, panels, strict=False):
        variables = frozenset(panel.graph)
        if variables not in places:
            places[variables] = layout(panel.graph)
        _draw(axes, panel, places[variables])
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    title_and_caption(figure, title, caption)
    return figure


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


def _draw(axes: Axes, panel: Panel, places: dict[str, np.ndarray]) -> None:
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
    for kind, edges in kinds.items():
        nx.draw_networkx_edges(graph, places, edgelist=edges, ax=axes, node_size=SIZE, **arrows, **looks[kind])
    nodes = list(graph)
    nx.draw_networkx_nodes(
        graph,
        places,
        nodelist=nodes,
        ax=axes,
        node_size=SIZE,
        node_color=[OBSERVED if node in panel.observed else FREE for node in nodes],
        edgecolors=[colour if node in panel.blocking or node in panel.path else INK for node in nodes],
        linewidths=[_border(panel, node) for node in nodes],
    )
    longest = max(map(len, map(str, graph)))
    nx.draw_networkx_labels(graph, places, ax=axes, font_size=10 if longest <= 3 else 7)
    axes.set_title(panel.title, fontsize=10)
    axes.text(
        0.5, -0.02, textwrap.fill(panel.note, CHARACTERS), transform=axes.transAxes, ha="center", va="top", fontsize=8,
        color=INK,
    )  # fmt: skip
    axes.margins(0.16)
    axes.set_axis_off()


def _border(panel: Panel, node: str) -> float:
    """The width of a node's border: widest for a node that blocks, less wide on an active path."""
    if node in panel.blocking:
        return 4.0
    return 2.8 if node in panel.path and not panel.blocking else 1.1
