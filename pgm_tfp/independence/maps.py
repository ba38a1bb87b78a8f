"""Graphs compared with lists of independencies (I-maps, minimal I-maps, perfect maps) and with each other.

A graph is an I-map of a list if the list has every independence that the graph asserts. An I-map is minimal if removing
any one edge makes it stop being an I-map. An I-map is perfect if the list has no independence that the graph does not
assert (Koller & Friedman 2009, sections 3.2.3, 3.4 and 4.3). Every list is first completed with the statements that
follow from it; see `statements`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import networkx as nx

from common.errors import UserError
from pgm_tfp.graphs import check_known, graph_of
from pgm_tfp.independence.directed import (
    d_connected,
    directed_local_independencies,
    directed_markov_blanket,
    directed_pairwise_independencies,
)
from pgm_tfp.independence.statements import Independence, closure, elementary, subsets
from pgm_tfp.independence.undirected import (
    connected,
    undirected_local_independencies,
    undirected_markov_blanket,
    undirected_pairwise_independencies,
)
from pgm_tfp.markov import MarkovNetwork
from pgm_tfp.networks import BayesianNetwork

MOST_VARIABLES = 10  # of a graph whose independencies are listed: at most 11,520
Graph: TypeAlias = BayesianNetwork | MarkovNetwork | nx.Graph


@dataclass(frozen=True)
class Verdict:
    """Yes or no, with a reason; as a condition it is true for yes.

    Attributes:
        holds: the answer.
        reason: the reason for the answer, as a clause.
        closed: whether the list already had every statement that follows from it; None for questions without a list.
    """

    holds: bool
    reason: str
    closed: bool | None = None

    def __bool__(self) -> bool:
        return self.holds


def markov_blanket(network: Graph, variable: str) -> set[str]:
    """The smallest set given which a variable is independent of all others.

    Raises:
        UserError: the variable is unknown.
    """
    graph = graph_of(network)
    check_known(graph, [variable])
    return (
        directed_markov_blanket(graph, variable) if graph.is_directed() else undirected_markov_blanket(graph, variable)
    )


def local_independencies(network: Graph) -> list[Independence]:
    """The independencies of the local Markov property: each variable from all but its surroundings."""
    graph = graph_of(network)
    asserted = directed_local_independencies if graph.is_directed() else undirected_local_independencies
    return list(asserted(graph))


def pairwise_independencies(network: Graph) -> list[Independence]:
    """The independencies of the pairwise Markov property: any two variables that no edge joins."""
    graph = graph_of(network)
    return list(
        (directed_pairwise_independencies if graph.is_directed() else undirected_pairwise_independencies)(graph)
    )


def independencies(network: Graph) -> set[Independence]:
    """All independencies between two single variables that the graph asserts; all others follow from them.

    Raises:
        UserError: the graph has more than ten variables.
    """
    graph = graph_of(network)
    if len(graph) > MOST_VARIABLES:
        raise UserError(
            f"{len(graph)} variables have too many independencies to list; {MOST_VARIABLES} variables are the most; "
            "use local_independencies instead"
        )
    return set(_asserted(graph))


def is_i_map(network: Graph, statements: Iterable[Independence]) -> Verdict:
    """Whether the list has every independence that the graph asserts."""
    graph = graph_of(network)
    return _i_map(graph, _Listed(graph, statements))


def is_minimal_i_map(network: Graph, statements: Iterable[Independence]) -> Verdict:
    """Whether the graph is an I-map of the list, and removing any one edge makes it stop being an I-map."""
    graph = graph_of(network)
    listed = _Listed(graph, statements)
    verdict = _i_map(graph, listed)
    if not verdict:
        return verdict
    for edge in graph.edges:
        if _i_map(without(graph, edge), listed):
            return Verdict(False, f"an I-map, but it stays an I-map without {_edge(graph, edge)}", listed.closed)
    return Verdict(True, "an I-map, and removing any one edge makes it stop being an I-map", listed.closed)


def is_perfect_map(network: Graph, statements: Iterable[Independence]) -> Verdict:
    """Whether the graph asserts exactly the independencies of the list."""
    graph = graph_of(network)
    listed = _Listed(graph, statements)
    verdict = _i_map(graph, listed)
    if not verdict:
        return verdict
    if lost := listed.all - independencies(graph):
        return Verdict(False, f"the list has {_simplest(graph, lost)}, which the graph does not assert", listed.closed)
    return Verdict(True, "the graph asserts exactly the independencies of the list", listed.closed)


def i_equivalent(a: BayesianNetwork | nx.DiGraph, b: BayesianNetwork | nx.DiGraph) -> Verdict:
    """Whether two directed graphs assert the same independencies.

    They do if and only if they have the same skeleton and the same immoralities (Verma & Pearl 1990). An immorality is
    a pair of parents of a common child that no edge joins.
    """
    first, second = graph_of(a), graph_of(b)
    if only := set(first) ^ set(second):
        return Verdict(False, f"only one of them has {min(only)}")
    if edges := _skeleton(first) ^ _skeleton(second):
        return Verdict(False, f"only one of them joins {' and '.join(min(map(sorted, edges)))}")
    if different := immoralities(first) ^ immoralities(second):
        parent, child, other = min(different)
        return Verdict(False, f"only one of them has the immorality {parent} -> {child} <- {other}")
    return Verdict(True, "the same skeleton and the same immoralities")


def immoralities(network: BayesianNetwork | nx.DiGraph) -> set[tuple[str, str, str]]:
    """All (parent, child, other parent) where no edge joins the parents; the parents are in alphabetical order."""
    return {(min(a, b), child, max(a, b)) for a, child, b in nx.dag.v_structures(graph_of(network))}


def without(network: Graph, edge: tuple[str, str]) -> nx.Graph:
    """A copy of the graph without one edge."""
    graph = graph_of(network).copy()
    graph.remove_edge(*edge)
    return graph


class _Listed:
    """A list of independencies, completed with the statements that follow from it.

    Attributes:
        all: the elementary statements of the completed list.
        closed: whether the list was complete.
    """

    def __init__(self, graph: nx.Graph, statements: Iterable[Independence]):
        listed = list(statements)
        for statement in listed:
            check_known(graph, statement.variables)
        self.all = closure(listed)
        self.closed = self.all == elementary(listed)


def _i_map(graph: nx.Graph, listed: _Listed) -> Verdict:
    if new := independencies(graph) - listed.all:
        return Verdict(False, f"the graph asserts {_simplest(graph, new)}, which is not in the list", listed.closed)
    return Verdict(True, "the list has every independence that the graph asserts", listed.closed)


def _asserted(graph: nx.Graph) -> Iterator[Independence]:
    """All elementary statements that the graph asserts, found by trying every set of given variables."""
    joined = d_connected if graph.is_directed() else connected
    variables = list(graph)
    for place, x in enumerate(variables):
        for given in subsets(set(variables) - {x}):
            apart = set(variables[place + 1 :]) - joined(graph, [x], given) - set(given)
            yield from (Independence([x], [y], given) for y in apart)


def _skeleton(graph: nx.DiGraph) -> set[frozenset[str]]:
    return {frozenset(edge) for edge in graph.edges}


def _simplest(graph: nx.Graph, statements: Iterable[Independence]) -> Independence:
    """The statement with the fewest given variables, and among these the one about the graph's first variables."""
    place = {variable: index for index, variable in enumerate(graph)}
    best = min(
        statements,
        key=lambda statement: (len(statement.given), sorted((place[v] for v in statement.variables), reverse=True)),
    )
    x, y = sorted(best.x | best.y, key=place.__getitem__)
    return Independence(x, y, best.given)


def _edge(graph: nx.Graph, edge: tuple[str, str]) -> str:
    return f" {'->' if graph.is_directed() else '-'} ".join(edge)
