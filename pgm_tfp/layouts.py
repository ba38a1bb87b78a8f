"""Where the boxes and lines of a drawn network go, in pixels.

A directed graph is drawn in layers with parents above children (Sugiyama, Tagawa & Toda 1981): igraph orders each layer
so that few edges cross. An edge over several layers passes between the boxes of each layer. An undirected graph is
spread so that distances on the page resemble distances in the graph (Kamada & Kawai 1989).
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import igraph
import networkx as nx
import numpy as np
from scipy.optimize import isotonic_regression

from pgm_tfp.graphs import Edge

GAP = np.array([22.0, 46.0])  # between two boxes, beside and above each other
MARGIN = 12.0
PASSAGE = 10.0  # width that an edge takes between the boxes of a layer
SWEEPS = 200  # of igraph over all layers, to order each of them
MOVES = 30  # of our own over all layers, to place the boxes in this order
ALONE = 0.1  # weight of a box without neighbours, which therefore makes room for others
TOUCHING = 1e-9  # keeps distances of zero from dividing


class Box(NamedTuple):
    """A rectangle with sides along the axes: its centre and its sides."""

    x: float
    y: float
    width: float
    height: float


class Arrangement(NamedTuple):
    """Places for everything in a drawing.

    Attributes:
        width, height: of the drawing.
        boxes: by variable.
        lines: by edge, points (n, 2) from the border of the first box to the border of the second.
    """

    width: float
    height: float
    boxes: dict[str, Box]
    lines: dict[Edge, np.ndarray]


def arranged(graph: nx.Graph, sizes: Mapping[str, tuple[float, float]]) -> Arrangement:
    """An arrangement without overlapping boxes.

    Args:
        sizes: width and height of each variable's box.
    """
    if not graph:
        return Arrangement(2 * MARGIN, 2 * MARGIN, {}, {})
    centres, bends = _layered(graph, sizes) if graph.is_directed() else (_spread(graph, sizes), {})
    middles, halves = np.array([centres[name] for name in graph]), np.array([sizes[name] for name in graph]) / 2
    points = np.concatenate([middles - halves, middles + halves, *(bend for bend in bends.values() if len(bend))])
    low, high = points.min(0) - MARGIN, points.max(0) + MARGIN
    boxes = {name: _box(centres[name] - low, sizes[name]) for name in graph}
    lines = {}
    for start, end in graph.edges:
        inner = bends.get((start, end), np.empty((0, 2))) - low
        centre = {name: np.array(boxes[name][:2]) for name in (start, end)}
        way = np.vstack([centre[start], inner, centre[end]])
        way[0], way[-1] = _border(boxes[start], way[1]), _border(boxes[end], way[-2])
        lines[start, end] = way
    width, height = high - low
    return Arrangement(float(width), float(height), boxes, lines)


def _box(centre: np.ndarray, size: tuple[float, float]) -> Box:
    return Box(float(centre[0]), float(centre[1]), *size)


def _border(box: Box, towards: np.ndarray) -> np.ndarray:
    """Where the line from the centre of a box to a point outside of it leaves the box."""
    centre, half = np.array(box[:2]), np.array(box[2:]) / 2
    away = towards - centre
    return centre + away / max(np.max(np.abs(away) / half), TOUCHING)


def _layers(graph: nx.DiGraph) -> dict[str, int]:
    """The layer of each variable: below all its parents; a variable without parents is directly above its children."""
    layers = {name: depth for depth, names in enumerate(nx.topological_generations(graph)) for name in names}
    for name in graph:
        if not graph.in_degree(name) and graph.out_degree(name):
            layers[name] = min(layers[child] for child in graph.successors(name)) - 1
    return layers


def _layered(
    graph: nx.DiGraph, sizes: Mapping[str, tuple[float, float]]
) -> tuple[dict[str, np.ndarray], dict[Edge, np.ndarray]]:
    """The centres of the boxes, and by edge the points through which it passes the layers between its ends."""
    layers = _layers(graph)
    names: list = list(graph)
    depth = [layers[name] for name in names]
    chains: dict[Edge, list[int]] = {}
    links: list[tuple[int, int]] = []
    number = {name: at for at, name in enumerate(names)}
    for start, end in graph.edges:
        passed = list(range(layers[start] + 1, layers[end]))
        chains[start, end] = list(range(len(depth), len(depth) + len(passed)))
        depth += passed
        links += pairwise([number[start], *chains[start, end], number[end]])
    drawn = igraph.Graph(len(depth), links, directed=True)
    coordinates = np.array(drawn.layout_sugiyama(layers=depth, maxiter=SWEEPS).coords)
    widths = np.array([sizes[name][0] for name in names] + [PASSAGE] * (len(depth) - len(names)))
    heights = np.array([sizes[name][1] for name in names] + [0.0] * (len(depth) - len(names)))
    x, y = _across(coordinates[:, 0], np.array(depth), widths, links), _down(np.array(depth), heights)
    places = np.stack([x, y], -1)
    return dict(zip(names, places, strict=False)), {edge: places[chain] for edge, chain in chains.items()}


def _down(depth: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """The middle of each layer, (boxes,); a layer is as high as its highest box."""
    layers, which = np.unique(depth, return_inverse=True)
    tallest = np.array([heights[depth == layer].max() for layer in layers])
    tops = np.concatenate([[0.0], (tallest + GAP[1]).cumsum()[:-1]])
    return (tops + tallest / 2)[which]


def _across(order: np.ndarray, depth: np.ndarray, widths: np.ndarray, links: list[tuple[int, int]]) -> np.ndarray:
    """The middle of each box across the page, (boxes,): near the mean of its neighbours, in the order of its layer.

    The sum of squared lengths across the page is lowered layer by layer. Within a layer this is isotonic regression:
    the least squares fit that keeps the order and the least distances.
    """
    rows = [np.flatnonzero(depth == layer) for layer in np.unique(depth)]
    rows = [row[np.argsort(order[row], kind="stable")] for row in rows]
    near: list[list[int]] = [[] for _ in depth]
    for a, b in links:
        near[a].append(b)
        near[b].append(a)
    x, offsets = np.zeros(len(depth)), {}
    for row in rows:
        steps = (widths[row][1:] + widths[row][:-1]) / 2 + GAP[0]
        offset = np.concatenate([[0.0], steps.cumsum()])
        offsets[row[0]] = offset
        x[row] = offset - offset.mean()
    for move in range(MOVES):
        for row in rows if move % 2 == 0 else reversed(rows):
            wanted = np.array([x[near[at]].mean() if near[at] else x[at] for at in row])
            weights = np.array([len(near[at]) or ALONE for at in row], float)
            offset = offsets[row[0]]
            x[row] = isotonic_regression(wanted - offset, weights=weights).x + offset
    return x


def _spread(graph: nx.Graph, sizes: Mapping[str, tuple[float, float]]) -> dict[str, np.ndarray]:
    """The centres of the boxes of an undirected graph; parts that no path joins are beside each other."""
    room = np.max([sizes[name] for name in graph], 0) + GAP
    centres: dict[str, np.ndarray] = {}
    right = 0.0
    for part in nx.connected_components(graph):
        names = [name for name in graph if name in part]
        flat, plane = nx.check_planarity(graph.subgraph(names))  # a start without crossings mostly ends without any
        start = nx.planar_layout(plane) if flat else None
        places = nx.kamada_kawai_layout(graph.subgraph(names), pos=start)
        points = np.array([places[name] for name in names]) * [1.0, -1.0]
        first, second = np.triu_indices(len(points), 1)
        apart = np.abs(points[first] - points[second]) / room
        # Two boxes do not overlap if they are far enough from each other along one of the axes.
        points = points / max(apart.max(1).min(initial=np.inf if len(points) == 1 else 1.0), TOUCHING)
        points += [right - points[:, 0].min(), 0.0]
        right = points[:, 0].max() + room[0]
        centres |= dict(zip(names, points, strict=True))
    return centres
