"""Directed acyclic and undirected graphs over named variables, and what elimination makes of them.

networkx holds the graphs. Here is what both kinds of network need of them: building with errors that name the
mistake, the moral graph, and triangulation. Eliminating a vertex joins its neighbours; a graph is chordal when some
order of elimination adds no edge, and the cliques met on the way, arranged as a tree in which each variable's cliques
hang together, are its junction tree (Lauritzen & Spiegelhalter 1988; Koller & Friedman 2009, chapters 9 and 10).
"""

import heapq
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import combinations, pairwise
from math import log, prod
from typing import NamedTuple, overload

import networkx as nx

from common.errors import UserError, nearest

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
        cells: the number of cells in all these cliques' tables together; as large as it comes.
    """

    order: list[str]
    cliques: list[frozenset[str]]
    cells: int


def elimination(graph: nx.Graph, sizes: Mapping[str, int], last: Collection[str] = ()) -> Elimination:
    """A good order of elimination: the cheapest that three greedy rules find.

    Each rule eliminates, at every step, the variable that is cheapest by one measure: the number of edges that it
    adds, their number weighted by the table of their ends, or the table that eliminating it makes (Kjaerulff 1990).
    Which rule wins differs from network to network; trying all three is cheap beside the tables. The third is the
    quickest to try. The others give up where their tables are beyond every machine.

    Args:
        sizes: the number of states of each variable.
        last: variables to be eliminated after all others.
    """
    by_table = _greedy(graph, sizes, last, _table)
    by_edges = (_greedy(graph, sizes, last, rule, most=BEYOND) for rule in (_fill, _weighted_fill))
    return min((*filter(None, by_edges), by_table), key=lambda eliminated: eliminated.cells)


BEYOND = 2**42  # cells: 35 terabytes
UNIT = (
    2.0**-30
)  # of the logarithms of sizes, in nats: sums of integers do not depend on their order, and so no tie does


class _Remaining:
    """The variables that are not yet eliminated, as numbers in the graph's order.

    Attributes:
        around: each one's neighbours.
        bits: the same neighbours as the bits of an integer, which counts common ones ten times as fast as a set does.
        logs: the logarithm of each one's number of states, in units.
        alike: by such a logarithm, the variables that have it, as bits.
    """

    def __init__(self, graph: nx.Graph, sizes: Mapping[str, int]):
        number = {variable: index for index, variable in enumerate(graph)}
        self.around: list[set[int]] = [{number[other] for other in graph[variable]} for variable in graph]
        self.bits = [sum(1 << other for other in around) for around in self.around]
        # One state has no cost, but its edges are edges.
        self.logs = [max(1, round(log(sizes[variable]) / UNIT)) for variable in graph]
        self.alike: dict[int, int] = {}
        for index, size in enumerate(self.logs):
            self.alike[size] = self.alike.get(size, 0) | 1 << index

    def eliminate(self, variable: int) -> set[int]:
        """Join the variable's neighbours and remove it; whose prices may have changed."""
        around, bits = self.around[variable], self.bits[variable]
        changed = set(around)
        for member in around:
            own = 1 << member | 1 << variable
            if bits & ~self.bits[member] & ~own:
                self.around[member] |= around
                self.around[member].discard(member)
                # An edge added between two vertices is one less for their common neighbours to add.
                changed |= self.around[member]
            self.around[member].discard(variable)
            self.bits[member] = (self.bits[member] | bits) & ~own
        changed.discard(variable)
        return changed


Rule = Callable[[_Remaining, int], int]  # the price of eliminating a variable next


def _fill(remaining: _Remaining, variable: int) -> int:
    around, bits = remaining.around[variable], remaining.bits
    own = bits[variable]
    # Each missing edge is counted from both ends.
    return len(around) * (len(around) - 1) - sum([(own & bits[other]).bit_count() for other in around])


def _weighted_fill(remaining: _Remaining, variable: int) -> int:
    around, bits, logs = remaining.around[variable], remaining.bits, remaining.logs
    # All ordered pairs, less those that an edge joins: a hub has too many that none does to go through them.
    pairs = sum([logs[a] for a in around]) ** 2 - sum([logs[a] ** 2 for a in around])
    for size, alike in remaining.alike.items():
        if own := bits[variable] & alike:
            pairs -= size * sum([logs[a] * (own & bits[a]).bit_count() for a in around])
    return pairs


def _table(remaining: _Remaining, variable: int) -> int:
    logs = remaining.logs
    return logs[variable] + sum([logs[other] for other in remaining.around[variable]])


@overload
def _greedy(graph: nx.Graph, sizes: Mapping[str, int], last: Collection[str], rule: Rule) -> Elimination: ...
@overload
def _greedy(
    graph: nx.Graph, sizes: Mapping[str, int], last: Collection[str], rule: Rule, most: int
) -> Elimination | None: ...
def _greedy(
    graph: nx.Graph, sizes: Mapping[str, int], last: Collection[str], rule: Rule, most: int | None = None
) -> Elimination | None:
    """The order that a rule finds; None where that has more than `most` cells."""
    names, remaining = list(graph), _Remaining(graph, sizes)
    final = set(last)
    to_be_last = [variable in final for variable in names]

    def priority(variable: int) -> tuple[bool, int, int, int]:
        return to_be_last[variable], rule(remaining, variable), _table(remaining, variable), variable

    current: dict[int, tuple] = {variable: priority(variable) for variable in range(len(names))}
    queue = list(current.values())
    heapq.heapify(queue)
    order, cliques, cells = [], [], 0
    while queue:
        key = heapq.heappop(queue)
        variable = key[-1]
        if current.get(variable) != key:
            continue  # an older price of a variable whose surroundings have changed
        del current[variable]
        order.append(names[variable])
        cliques.append(frozenset(names[member] for member in (variable, *remaining.around[variable])))
        cells += prod(sizes[member] for member in cliques[-1])
        if most is not None and cells > most:
            return None
        for member in remaining.eliminate(variable):
            fresh = priority(member)
            if fresh != current[member]:
                current[member] = fresh
                heapq.heappush(queue, fresh)
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
