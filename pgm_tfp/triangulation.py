"""Orders of elimination, triangulated graphs and junction trees.

Eliminating a variable joins its neighbours to each other and removes the variable. The variable and its neighbours form
a clique at that moment. A graph is chordal if some order of elimination adds no edge. The cliques of an order, arranged
as a tree in which the cliques of each variable are connected, form a junction tree (Lauritzen & Spiegelhalter 1988;
Koller & Friedman 2009, chapters 9 and 10).
"""

import heapq
from collections.abc import Callable, Collection, Mapping
from math import log, prod
from typing import NamedTuple, overload

import networkx as nx

from pgm_tfp.graphs import edges_within, undirected_graph

BEYOND = 2**42  # joint states: 35 terabytes
UNIT = 2.0**-30  # nats; logarithms are integers in this unit, so that no tie depends on the order of a sum


class Elimination(NamedTuple):
    """An order of elimination, and its cost.

    Attributes:
        order: the variables, in the order in which they are eliminated.
        cliques: for each variable, the variable and its neighbours when it is eliminated.
        cells: the number of joint states of all these cliques together; an integer of any size.
    """

    order: list[str]
    cliques: list[frozenset[str]]
    cells: int


def elimination_order(graph: nx.Graph, sizes: Mapping[str, int], last: Collection[str] = ()) -> Elimination:
    """A good order of elimination: the cheapest of the orders that three greedy rules find.

    At every step, each rule eliminates the variable with the lowest price. The price is the number of edges that the
    elimination adds (min-fill), the sum of these edges' weights (weighted min-fill), or the number of joint states of
    the clique (min-weight) (Kjaerulff 1990). An edge's weight is the product of the logarithms of its ends' numbers of
    states. Which rule is best differs from network to network, and trying all three takes little time compared with
    inference. The third rule is the quickest. The other two are given up when their cliques are too large for any
    machine.

    networkx's `treewidth_min_fill_in` and `treewidth_min_degree` do not take numbers of states, and return no order.

    Args:
        sizes: the number of states of each variable.
        last: variables to be eliminated after all others.
    """
    by_table = _greedy(graph, sizes, last, _table)
    by_edges = (_greedy(graph, sizes, last, rule, most=BEYOND) for rule in (_fill, _weighted_fill))
    return min((*filter(None, by_edges), by_table), key=lambda eliminated: eliminated.cells)


class _Remaining:
    """The variables that are not yet eliminated, as numbers in the graph's order.

    Attributes:
        around: for each variable its neighbours.
        bits: the same neighbours as the bits of an integer; common neighbours are counted ten times as fast as in sets.
        logs: for each variable the logarithm of its number of states, in units.
        alike: by such a logarithm the variables that have it, as bits.
    """

    def __init__(self, graph: nx.Graph, sizes: Mapping[str, int]):
        number = {variable: index for index, variable in enumerate(graph)}
        self.around: list[set[int]] = [{number[other] for other in graph[variable]} for variable in graph]
        self.bits = [sum(1 << other for other in around) for around in self.around]
        # A variable of one state has logarithm zero, but the edges at it must have a price.
        self.logs = [max(1, round(log(sizes[variable]) / UNIT)) for variable in graph]
        self.alike: dict[int, int] = {}
        for index, size in enumerate(self.logs):
            self.alike[size] = self.alike.get(size, 0) | 1 << index

    def eliminate(self, variable: int) -> set[int]:
        """Join the variable's neighbours, remove the variable, and return all whose prices may have changed."""
        around, bits = self.around[variable], self.bits[variable]
        changed = set(around)
        for member in around:
            own = 1 << member | 1 << variable
            if bits & ~self.bits[member] & ~own:
                self.around[member] |= around
                self.around[member].discard(member)
                # After an edge is added, the common neighbours of its ends have one edge less to add.
                changed |= self.around[member]
            self.around[member].discard(variable)
            self.bits[member] = (self.bits[member] | bits) & ~own
        changed.discard(variable)
        return changed


Rule = Callable[[_Remaining, int], int]  # gives the price of eliminating a variable next


def _fill(remaining: _Remaining, variable: int) -> int:
    around, bits = remaining.around[variable], remaining.bits
    own = bits[variable]
    # Each missing edge is counted from both ends.
    return len(around) * (len(around) - 1) - sum([(own & bits[other]).bit_count() for other in around])


def _weighted_fill(remaining: _Remaining, variable: int) -> int:
    around, bits, logs = remaining.around[variable], remaining.bits, remaining.logs
    # The weight of all ordered pairs minus that of the joined pairs: a hub has too many unjoined pairs to list.
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
    """The order that a rule finds; None if its cliques have more than `most` joint states."""
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
            continue  # an outdated price: the neighbourhood has changed since
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
    """The maximal cliques of a triangulated graph as a tree, or forest, in which each variable's cliques are connected.

    Attributes:
        cliques: children come before their parents; the last clique is a root.
        parents: for each clique the index of its parent, None for a root (one in each component).
        separators: for each clique the variables that it shares with its parent.
    """

    cliques: list[frozenset[str]]
    parents: list[int | None]
    separators: list[frozenset[str]]


def junction_tree(eliminated: Elimination) -> JunctionTree:
    """The junction tree of an order of elimination.

    The parent of a variable's clique is the clique of the neighbour that is eliminated next. A clique that is a subset
    of another is merged into it. networkx's `junction_tree` triangulates on its own and takes no order.
    """
    place = {variable: index for index, variable in enumerate(eliminated.order)}
    parents: list[int | None] = []
    for index, clique in enumerate(eliminated.cliques):
        later = [place[variable] for variable in clique if place[variable] > index]
        parents.append(min(later) if later else None)
    # A clique that is a subset of an earlier one is a subset of one of its children, too, because all cliques on the
    # path between them include it.
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
    # The parent of a kept clique is the nearest clique above that is not merged into the clique itself.
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
    """A chordal graph: this graph and, unless it is chordal, few more edges (min-fill).

    networkx's `complete_to_chordal_graph` adds edges of which none can be left out, but often more of them.
    """
    # Not `elimination_order`: the cheapest order can add edges at variables of one state, even to a chordal graph.
    eliminated = _greedy(graph, sizes or dict.fromkeys(graph, 2), (), _fill)
    return undirected_graph([*graph.edges, *edges_within(eliminated.cliques)], graph)
