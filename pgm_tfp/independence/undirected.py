"""Separation in undirected graphs: x _|_ y | given holds if `given` cuts every path between x and y.

(Koller & Friedman 2009, section 4.3.)
"""

from collections.abc import Collection, Iterable, Iterator
from itertools import combinations, product
from typing import NamedTuple, TypeAlias

import networkx as nx

from pgm_tfp.graphs import check_known, graph_of
from pgm_tfp.independence.statements import Independence
from pgm_tfp.markov import MarkovNetwork

Undirected: TypeAlias = MarkovNetwork | nx.Graph


class Separation(NamedTuple):
    """Whether two sets of variables are separated, with a path or a cut as proof.

    Attributes:
        separated: whether the given variables cut every path between the two sets.
        path: a shortest path that is not cut; empty if the sets are separated.
        cut: given variables that cut all paths and of which none can be left out; empty if the sets are not separated,
            or if no path joins them.
    """

    separated: bool
    path: tuple[str, ...]
    cut: frozenset[str]

    @property
    def reason(self) -> str:
        """The proof as a clause."""
        if not self.separated:
            return f"not cut: {' - '.join(self.path)}"
        return f"every path passes {' or '.join(sorted(self.cut))}" if self.cut else "no path joins them"


def separated(
    network: Undirected, x: str | Iterable[str], y: str | Iterable[str], given: str | Iterable[str] = ()
) -> bool:
    """Whether the graph asserts x _|_ y | given, where each of them is one variable or several.

    Raises:
        UserError: a variable is unknown, or named in two places.
    """
    graph, statement = graph_of(network), Independence(x, y, given)
    check_known(graph, statement.variables)
    return statement.y.isdisjoint(connected(graph, statement.x, statement.given))


def separation(
    network: Undirected, x: str | Iterable[str], y: str | Iterable[str], given: str | Iterable[str] = ()
) -> Separation:
    """Whether the graph asserts x _|_ y | given, with a path or a cut as proof.

    Raises:
        UserError: a variable is unknown, or named in two places.
    """
    graph, statement = graph_of(network), Independence(x, y, given)
    check_known(graph, statement.variables)
    left = graph.subgraph(set(graph) - statement.given)
    pairs = product(sorted(statement.x), sorted(statement.y))
    if paths := [tuple(nx.shortest_path(left, a, b)) for a, b in pairs if nx.has_path(left, a, b)]:
        return Separation(False, min(paths, key=len), frozenset())
    # The given variables that can be reached from x, and among these the ones that can be reached from y.
    near = _boundary(graph, statement.x, statement.given)
    return Separation(True, (), frozenset(_boundary(graph, statement.y, near)))


def undirected_markov_blanket(graph: nx.Graph, variable: str) -> set[str]:
    """The neighbours; given these, the variable is independent of all others."""
    return set(graph[variable])


def undirected_local_independencies(graph: nx.Graph) -> Iterator[Independence]:
    """The independence of each variable from all others, given its neighbours."""
    for variable in graph:
        around = set(graph[variable])
        if others := set(graph) - around - {variable}:
            yield Independence([variable], others, around)


def undirected_pairwise_independencies(graph: nx.Graph) -> Iterator[Independence]:
    """The independence of any two variables that no edge joins, given all others."""
    for a, b in combinations(graph, 2):
        if not graph.has_edge(a, b):
            yield Independence([a], [b], set(graph) - {a, b})


def connected(graph: nx.Graph, sources: Collection[str], given: Collection[str]) -> set[str]:
    """All variables to which a path outside `given` leads from the sources, and the sources.

    networkx's `node_connected_component` would need a copy or a view of the graph without `given`, which is slow when
    every set `given` is tried.
    """
    return _reached(graph, sources, given) - set(given)


def _boundary(graph: nx.Graph, sources: Collection[str], given: Collection[str]) -> set[str]:
    """The given variables to which a path leads from the sources without passing another given variable."""
    return _reached(graph, sources, given) & set(given)


def _reached(graph: nx.Graph, sources: Collection[str], given: Collection[str]) -> set[str]:
    """All variables to which a path leads from the sources; a path can end at a given variable, but not pass it."""
    reached, ahead = set[str](), list(sources)
    while ahead:
        variable = ahead.pop()
        if variable not in reached:
            reached.add(variable)
            if variable not in given:
                ahead.extend(graph[variable])
    return reached
