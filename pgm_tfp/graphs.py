"""Directed acyclic and undirected graphs over named variables, built with errors that name what is wrong.

networkx holds the graphs; its own functions serve for moral graphs, chordality and v-structures. Orders of elimination
and junction trees are in `triangulation`.
"""

from collections.abc import Collection, Iterable, Sequence
from itertools import combinations, pairwise
from typing import Any

import networkx as nx

from common.errors import UserError, nearest

Edge = tuple[str, str]


def directed_graph(edges: Iterable[Edge], variables: Iterable[str] = ()) -> nx.DiGraph:
    """A directed acyclic graph with these edges.

    Args:
        variables: come first in the graph, in this order; they may have no edges.

    Raises:
        UserError: the edges form a cycle; the message names its variables.
    """
    graph = nx.DiGraph()
    graph.add_nodes_from(variables)
    graph.add_edges_from(edges)
    if not nx.is_directed_acyclic_graph(graph):
        cycle = [start for start, _ in nx.find_cycle(graph)]
        raise UserError(f"the edges form a cycle: {' -> '.join([*cycle, cycle[0]])}; leave one of them out")
    return graph


def undirected_graph(edges: Iterable[Edge], variables: Iterable[str] = ()) -> nx.Graph:
    """An undirected graph with these edges.

    Args:
        variables: come first in the graph, in this order; they may have no edges.

    Raises:
        UserError: an edge joins a variable to itself.
    """
    graph = nx.Graph()
    graph.add_nodes_from(variables)
    graph.add_edges_from(edges)
    if loop := next(nx.selfloop_edges(graph), None):
        raise UserError(f"the edge {loop[0]}-{loop[1]} joins a variable to itself; leave it out")
    return graph


def graph_of(network: Any) -> Any:
    """The graph of a Bayesian or a Markov network; a graph of networkx is returned unchanged."""
    return network if isinstance(network, nx.Graph) else network.graph


def check_known(graph: nx.Graph, variables: Iterable[str]) -> None:
    """Raise UserError for the first variable that is not in the graph."""
    for variable in variables:
        if variable not in graph:
            raise UserError(f"unknown variable {variable}; {nearest(str(variable), map(str, graph))}")


def topological_order(graph: nx.DiGraph) -> list[str]:
    """The variables with parents before children; otherwise in the order in which they were added."""
    place = {variable: index for index, variable in enumerate(graph)}
    return list(nx.lexicographical_topological_sort(graph, key=place.__getitem__))


def edges_within(scopes: Iterable[Collection[str]]) -> Iterable[Edge]:
    """An edge between any two variables that occur together in one of these scopes."""
    return (edge for scope in scopes for edge in combinations(scope, 2))


def chordless_cycle(graph: nx.Graph) -> list[str] | None:
    """A cycle of four or more vertices without a chord; None if the graph is chordal.

    Such a cycle passes some vertex v between two neighbours a and b that are not joined. It returns from b to a without
    v's other neighbours, and the shortest such path has no chord. networkx's `chordless_cycles` lists all such cycles,
    triangles included, which can take exponential time.
    """
    for vertex in graph:
        around = set(graph[vertex])
        for a, b in combinations(graph[vertex], 2):
            if graph.has_edge(a, b):
                continue
            outside = graph.subgraph(set(graph) - (around - {a, b}) - {vertex})
            if nx.has_path(outside, a, b):
                return [vertex, *nx.shortest_path(outside, a, b)]
    return None


def arrows(graph: nx.DiGraph, nodes: Sequence[str]) -> str:
    """A trail as text, such as S <- O -> T."""
    text = nodes[0]
    for start, end in pairwise(nodes):
        text += f" {'->' if graph.has_edge(start, end) else '<-'} {end}"
    return text
