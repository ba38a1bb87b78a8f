"""Separation in undirected graphs: x _|_ y | given holds when `given` cuts every path (Koller & Friedman 2009, 4.3)."""

from collections.abc import Collection, Iterable, Iterator
from itertools import combinations, product
from typing import NamedTuple, TypeAlias

import networkx as nx

from pgm_tfp.graphs import check_known
from pgm_tfp.independence.statements import Independence
from pgm_tfp.markov import MarkovNetwork

Undirected: TypeAlias = MarkovNetwork | nx.Graph


class Separation(NamedTuple):
    """Whether two sets of variables are separated, and what shows it.

    Attributes:
        separated: is every path between them cut?
        path: a shortest path that is not cut; empty where they are separated.
        cut: those of the given variables that suffice to cut all paths, none of which can be left out; empty where
            they are not separated, or where no path joins them.
    """

    separated: bool
    path: tuple[str, ...]
    cut: frozenset[str]

    @property
    def reason(self) -> str:
        """What shows it, as a sentence."""
        if not self.separated:
            return f"not cut: {' - '.join(self.path)}"
        return f"every path passes {' or '.join(sorted(self.cut))}" if self.cut else "no path joins them"


def separated(
    network: Undirected, x: str | Iterable[str], y: str | Iterable[str], given: str | Iterable[str] = ()
) -> bool:
    """Does the graph assert x _|_ y | given? One variable a place, or several.

    Raises:
        UserError: a variable is unknown, or named in two places.
    """
    graph, statement = undirected_graph_of(network), Independence(x, y, given)
    check_known(graph, statement.variables)
    return statement.y.isdisjoint(connected(graph, statement.x, statement.given))


def separation(
    network: Undirected, x: str | Iterable[str], y: str | Iterable[str], given: str | Iterable[str] = ()
) -> Separation:
    """The same, with the path or the cut that shows it."""
    graph, statement = undirected_graph_of(network), Independence(x, y, given)
    check_known(graph, statement.variables)
    left = graph.subgraph(set(graph) - statement.given)
    pairs = product(sorted(statement.x), sorted(statement.y))
    if paths := [tuple(nx.shortest_path(left, a, b)) for a, b in pairs if nx.has_path(left, a, b)]:
        return Separation(False, min(paths, key=len), frozenset())
    # Of the given variables, those that x's side touches; of these, those that y's side touches.
    near = _boundary(graph, statement.x, statement.given)
    return Separation(True, (), frozenset(_boundary(graph, statement.y, near)))


def undirected_markov_blanket(graph: nx.Graph, variable: str) -> set[str]:
    """The neighbours: given these, all others tell nothing more."""
    return set(graph[variable])


def undirected_local_independencies(graph: nx.Graph) -> Iterator[Independence]:
    """Each variable and all others, given its neighbours."""
    for variable in graph:
        around = set(graph[variable])
        if others := set(graph) - around - {variable}:
            yield Independence([variable], others, around)


def undirected_pairwise_independencies(graph: nx.Graph) -> Iterator[Independence]:
    """Any two variables without an edge, given all others."""
    for a, b in combinations(graph, 2):
        if not graph.has_edge(a, b):
            yield Independence([a], [b], set(graph) - {a, b})


def undirected_graph_of(network: Undirected) -> nx.Graph:
    """The graph of a network; a graph as it is."""
    return network if isinstance(network, nx.Graph) else network.graph


def connected(graph: nx.Graph, sources: Collection[str], given: Collection[str]) -> set[str]:
    """All variables that a path outside `given` joins to the sources, these included."""
    return _reached(graph, sources, given) - set(given)


def _boundary(graph: nx.Graph, sources: Collection[str], given: Collection[str]) -> set[str]:
    return _reached(graph, sources, given) & set(given)


def _reached(graph: nx.Graph, sources: Collection[str], given: Collection[str]) -> set[str]:
    reached, ahead = set[str](), list(sources)
    while ahead:
        variable = ahead.pop()
        if variable not in reached:
            reached.add(variable)
            if variable not in given:
                ahead.extend(graph[variable])
    return reached
