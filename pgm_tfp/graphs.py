"""Directed acyclic and undirected graphs over named variables, and what elimination makes of them.

networkx holds the graphs. Here is what both kinds of network need of them: building with errors that name the
mistake, the moral graph, and triangulation. Eliminating a vertex joins its neighbours; a graph is chordal when some
order of elimination adds no edge, and the cliques met on the way, arranged as a tree in which each variable's cliques
hang together, are its junction tree (Lauritzen & Spiegelhalter 1988; Koller & Friedman 2009, chapters 9 and 10).
"""

import heapq
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from itertools import combinations, pairwise
from math import log
from typing import NamedTuple

import networkx as nx

from data.errors import UserError, nearest

Edge = tuple[str, str]


def directed_graph(edges: Iterable[Edge], variables: Iterable[str] = ()) -> nx.DiGraph:
    """A directed acyclic graph; `variables` come first, in their order, and may have no edges.

    Raises:
        UserError: the edges form a cycle, which is named.
    """
    graph = nx.DiGraph()
    graph.add_nodes_from(variables)
    graph.add_edges_from(edges)
    if not nx.is_directed_acyclic_graph(graph):
        cycle = [start for start, _ in nx.find_cycle(graph)]
        raise UserError(f"the edges form a cycle: {' -> '.join([*cycle, cycle[0]])}; leave one of them out")
    return graph


def undirected_graph(edges: Iterable[Edge], variables: Iterable[str] = ()) -> nx.Graph:
    """An undirected graph without loops; `variables` come first and may have no edges.

    Raises:
        UserError: an edge joins a variable to itself.
    """
    graph = nx.Graph()
    graph.add_nodes_from(variables)
    graph.add_edges_from(edges)
    if loop := next(nx.selfloop_edges(graph), None):
        raise UserError(f"the edge {loop[0]}-{loop[1]} joins a variable to itself; leave it out")
    return graph


def check_known(graph: nx.Graph, variables: Iterable[str]) -> None:
    """Raise UserError at the first variable that the graph does not have."""
    for variable in variables:
        if variable not in graph:
            raise UserError(f"unknown variable {variable}; {nearest(str(variable), map(str, graph))}")


def topological_order(graph: nx.DiGraph) -> list[str]:
    """Parents before children; otherwise in the order in which the variables were added."""
    place = {variable: index for index, variable in enumerate(graph)}
    return list(nx.lexicographical_topological_sort(graph, key=place.__getitem__))


def moral_graph(graph: nx.DiGraph) -> nx.Graph:
    """The same edges without direction, and one between any two parents of a common child."""
    moral = undirected_graph(graph.edges, graph)
    for child in graph:
        moral.add_edges_from(combinations(graph.predecessors(child), 2))
    return moral


def factor_graph_edges(scopes: Iterable[Collection[str]]) -> Iterable[Edge]:
    """An edge between any two variables that share a factor."""
    return (edge for scope in scopes for edge in combinations(scope, 2))


class Elimination(NamedTuple):
    """An order of elimination and what it costs.

    Attributes:
        order: the variables, first eliminated first.
        cliques: for each of them, itself and its neighbours at that moment.
        cells: the number of cells in all these cliques' tables together.
    """

    order: list[str]
    cliques: list[frozenset[str]]
    cells: float


def elimination(graph: nx.Graph, sizes: Mapping[str, int], last: Collection[str] = ()) -> Elimination:
    """A good order of elimination: the cheapest that three greedy rules find.

    Each rule eliminates, at every step, the variable that is cheapest by one measure: the number of edges that it
    adds, their number weighted by the table of their ends, or the table that eliminating it makes (Kjaerulff 1990).
    Which rule wins differs from network to network; trying all three is cheap beside the tables.

    Args:
        sizes: the number of states of each variable.
        last: variables to be eliminated after all others.
    """
    return min((_greedy(graph, sizes, last, rule) for rule in (_fill, _weighted_fill, _table)), key=lambda e: e.cells)


Neighbours = dict[Hashable, set]
Rule = Callable[[Neighbours, Mapping[str, int], str], int]  # the price of eliminating a variable next
UNIT = (
    2.0**-30
)  # of the logarithms of sizes, in nats: sums of integers do not depend on their order, and so no tie does


def _fill(neighbours: Neighbours, logs: Mapping[str, int], variable: str) -> int:
    around = neighbours[variable]
    # Each missing edge is counted from both ends.
    return sum(len(around) - 1 - len(around & neighbours[other]) for other in around)


def _weighted_fill(neighbours: Neighbours, logs: Mapping[str, int], variable: str) -> int:
    around = neighbours[variable]
    # All ordered pairs, less those that an edge joins: a hub has too many that none does to go through them.
    pairs = sum(logs[a] for a in around) ** 2 - sum(logs[a] ** 2 for a in around)
    return pairs - sum(logs[a] * logs[b] for a in around for b in around & neighbours[a])


def _table(neighbours: Neighbours, logs: Mapping[str, int], variable: str) -> int:
    return logs[variable] + sum(logs[other] for other in neighbours[variable])


def _greedy(graph: nx.Graph, sizes: Mapping[str, int], last: Collection[str], rule: Rule) -> Elimination:
    neighbours: Neighbours = {variable: set(graph[variable]) for variable in graph}
    # One state has no cost, but its edges are edges.
    logs = {variable: max(1, round(log(sizes[variable]) / UNIT)) for variable in graph}
    place = {variable: index for index, variable in enumerate(graph)}
    last = set(last)

    def priority(variable: str) -> tuple:
        return (
            variable in last,
            rule(neighbours, logs, variable),
            _table(neighbours, logs, variable),
            place[variable],
        )

    current = {variable: priority(variable) for variable in graph}
    queue = [(key, variable) for variable, key in current.items()]
    heapq.heapify(queue)
    order, cliques, cells = [], [], 0.0
    while queue:
        key, variable = heapq.heappop(queue)
        if current.get(variable) != key:
            continue  # an older price of a variable whose surroundings have changed
        del current[variable]
        around = neighbours.pop(variable)
        order.append(variable)
        cliques.append(frozenset(around | {variable}))
        table = 1.0
        for member in cliques[-1]:
            table *= sizes[member]
        cells += table
        changed = set(around)
        for member in around:
            new = around - neighbours[member] - {member}
            neighbours[member] |= new
            neighbours[member].discard(variable)
            if new:  # an edge added between two vertices is one less for their common neighbours to add
                changed |= neighbours[member]
        for member in changed:
            fresh = priority(member)
            if fresh != current[member]:
                current[member] = fresh
                heapq.heappush(queue, (fresh, member))
    return Elimination(order, cliques, cells)


class JunctionTree(NamedTuple):
    """The maximal cliques of a triangulated graph, arranged so that each variable's cliques hang together.

    Attributes:
        cliques: children come before their parents; the last is a root.
        parents: for each clique the index of its parent, None for a root (one in each component).
        separators: what a clique shares with its parent.
    """

    cliques: list[frozenset[str]]
    parents: list[int | None]
    separators: list[frozenset[str]]


def junction_tree(eliminated: Elimination) -> JunctionTree:
    """The junction tree of an order of elimination.

    The clique of a variable hangs below that of the next eliminated among its neighbours; a clique that lies within
    another is merged into it.
    """
    place = {variable: index for index, variable in enumerate(eliminated.order)}
    parents: list[int | None] = []
    for index, clique in enumerate(eliminated.cliques):
        later = [place[variable] for variable in clique if place[variable] > index]
        parents.append(min(later) if later else None)
    # A clique that lies within an earlier one lies within a child of its own, too, for so do all cliques in between.
    stands_for = list(range(len(parents)))
    cliques = list(eliminated.cliques)
    for index, parent in enumerate(parents):
        if parent is not None and cliques[parent] <= cliques[index] and stands_for[parent] == parent:
            stands_for[parent] = index

    def representative(index: int) -> int:
        while stands_for[index] != index:
            index = stands_for[index]
        return index

    kept = [index for index in range(len(cliques)) if stands_for[index] == index]
    # A kept clique's parent: the nearest clique above that is not merged into the clique itself.
    tree: dict[int, int | None] = {}
    for index in kept:
        above = parents[index]
        while above is not None and representative(above) == index:
            above = parents[above]
        tree[index] = None if above is None else representative(above)
    upward = nx.DiGraph((index, parent) for index, parent in tree.items() if parent is not None)
    upward.add_nodes_from(kept)
    order = list(nx.topological_sort(upward))
    position = {index: new for new, index in enumerate(order)}
    links = [(cliques[index], tree[index]) for index in order]
    return JunctionTree(
        cliques=[clique for clique, _ in links],
        parents=[None if parent is None else position[parent] for _, parent in links],
        separators=[frozenset() if parent is None else clique & cliques[parent] for clique, parent in links],
    )


def triangulated(graph: nx.Graph, sizes: Mapping[str, int] | None = None) -> nx.Graph:
    """A chordal graph with the edges of this one and, where it was not chordal, few more (min-fill)."""
    # Not the cheapest of all rules: beside variables of one state, an edge that a chordal graph lacks can cost nothing.
    eliminated = _greedy(graph, sizes or dict.fromkeys(graph, 2), (), _fill)
    return undirected_graph([*graph.edges, *factor_graph_edges(eliminated.cliques)], graph)


def chordless_cycle(graph: nx.Graph) -> list[str] | None:
    """A cycle of four or more vertices without a chord, or None where the graph is chordal.

    Such a cycle passes some vertex v by two neighbours a and b that are not joined, and returns from b to a outside
    v's other neighbours; the shortest such way back has no chord.
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
    """A trail as text: S <- O -> T."""
    text = nodes[0]
    for start, end in pairwise(nodes):
        text += f" {'->' if graph.has_edge(start, end) else '<-'} {end}"
    return text
