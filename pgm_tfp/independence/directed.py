"""d-separation: which independencies a directed acyclic graph asserts, and why.

A trail between two variables is a path that ignores directions. Given what is observed it is active unless one of
its inner nodes blocks it: a chain (-> Z ->) or a fork (<- Z ->) blocks where Z is observed; a collider (-> Z <-)
blocks unless Z or a descendant of Z is observed. Variables are d-separated when no trail between them is active (Pearl
1988, section 3.3; Koller & Friedman 2009, section 3.3).
"""

from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import NamedTuple, TypeAlias

import networkx as nx

from common.errors import UserError
from pgm_tfp.graphs import arrows, check_known
from pgm_tfp.independence.statements import Independence
from pgm_tfp.networks import BayesianNetwork

MOST_TRAILS = 10_000
Directed: TypeAlias = BayesianNetwork | nx.DiGraph


class Node(NamedTuple):
    """An inner node of a trail.

    Attributes:
        variable: its name.
        kind: "chain", "fork" or "collider".
        blocks: whether it blocks the trail.
        observed: the node itself, and of a collider the descendants, that are observed.
    """

    variable: str
    kind: str
    blocks: bool
    observed: tuple[str, ...]

    def why(self) -> str:
        """Why it blocks, or does not, as half a sentence."""
        if self.kind != "collider":
            return f"{self.variable} is a {self.kind} and {'observed' if self.blocks else 'not observed'}"
        if self.blocks:
            return f"{self.variable} is a collider, and neither it nor a descendant of it is observed"
        if self.variable in self.observed:
            return f"{self.variable} is a collider and observed"
        return f"{self.variable} is a collider, and its descendant {' and '.join(self.observed)} is observed"


class Trail(NamedTuple):
    """A simple trail.

    Attributes:
        nodes: from one end to the other.
        active: does information flow along it?
        reason: why, as a sentence.
        text: the trail with its arrows: S <- O -> T.
        inner: what each node between the ends does.
    """

    nodes: tuple[str, ...]
    active: bool
    reason: str
    text: str
    inner: tuple[Node, ...]


def d_separated(
    network: Directed, x: str | Iterable[str], y: str | Iterable[str], given: str | Iterable[str] = ()
) -> bool:
    """Does the graph assert x _|_ y | given? One variable a place, or several.

    Follows active trails outwards from x, a few steps for each edge (Koller & Friedman 2009, algorithm 3.1).

    Raises:
        UserError: a variable is unknown, or named in two places.
    """
    graph, statement = directed_graph_of(network), Independence(x, y, given)
    check_known(graph, statement.variables)
    return statement.y.isdisjoint(d_connected(graph, statement.x, statement.given))


def trails(network: Directed, x: str, y: str, given: str | Iterable[str] = ()) -> list[Trail]:
    """Every simple trail between two variables, the shortest first, each with the reason why it is active or blocked.

    x and y are d-separated when none is active: an active walk that repeats a node can always be shortened to an active
    trail.

    Raises:
        UserError: a variable is unknown or named in two places, or there are more than ten thousand trails.
    """
    graph, statement = directed_graph_of(network), Independence([x], [y], given)
    check_known(graph, statement.variables)
    paths = list(islice(nx.all_simple_paths(graph.to_undirected(), x, y), MOST_TRAILS + 1))
    if len(paths) > MOST_TRAILS:
        raise UserError(f"more than {MOST_TRAILS:,} trails between {x} and {y}; d_separated needs no list of them")
    return [_judged(graph, nodes, statement.given) for nodes in sorted(paths, key=len)]


def directed_markov_blanket(graph: nx.DiGraph, variable: str) -> set[str]:
    """Parents, children and the children's other parents: given these, all others tell nothing more."""
    # answer: the Markov blanket in a directed graph
    children = set(graph.successors(variable))
    parents = {parent for child in (variable, *children) for parent in graph.predecessors(child)}
    return (children | parents) - {variable}
    # end of answer


def directed_local_independencies(graph: nx.DiGraph) -> Iterator[Independence]:
    """Each variable and its non-descendants, given its parents."""
    for variable in graph:
        parents = set(graph.predecessors(variable))
        if others := set(graph) - nx.descendants(graph, variable) - parents - {variable}:
            yield Independence([variable], others, parents)


def directed_pairwise_independencies(graph: nx.DiGraph) -> Iterator[Independence]:
    """Each variable and each non-descendant that is no parent, given all its other non-descendants."""
    for variable in graph:
        before = set(graph) - nx.descendants(graph, variable) - {variable}
        for other in sorted(before - set(graph.predecessors(variable))):
            yield Independence([variable], [other], before - {other})


def directed_graph_of(network: Directed) -> nx.DiGraph:
    """The graph of a network; a graph as it is."""
    return network if isinstance(network, nx.Graph) else network.graph


def d_connected(graph: nx.DiGraph, sources: Collection[str], given: Collection[str]) -> set[str]:
    """All variables that some active trail joins to the sources, these included."""
    # answer: what active trails reach
    opened = set(given).union(*(nx.ancestors(graph, variable) for variable in given))  # colliders that let pass
    upwards, downwards = set[str](), set[str]()  # variables reached from a child, and from a parent
    ahead = [(variable, True) for variable in sources]
    while ahead:
        variable, from_child = ahead.pop()
        reached = upwards if from_child else downwards
        if variable in reached:
            continue
        reached.add(variable)
        observed = variable in given
        if not observed:
            ahead += [(child, False) for child in graph.successors(variable)]
        if (from_child and not observed) or (not from_child and variable in opened):
            ahead += [(parent, True) for parent in graph.predecessors(variable)]
    return (upwards | downwards) - set(given)
    # end of answer


def _judged(graph: nx.DiGraph, nodes: list[str], given: frozenset[str]) -> Trail:
    inner = tuple(
        _inner_node(graph, before, node, after, given)
        for before, node, after in zip(nodes, nodes[1:], nodes[2:], strict=False)
    )
    blocking = [node for node in inner if node.blocks]
    if blocking:
        where = " and ".join(node.variable for node in blocking)
        reason = f"blocked at {where}: {'; '.join(node.why() for node in blocking)}"
    elif inner:
        reason = f"active: {'; '.join(node.why() for node in inner)}"
    else:
        reason = "active: an edge joins them"
    return Trail(tuple(nodes), not blocking, reason, arrows(graph, nodes), inner)


def _inner_node(graph: nx.DiGraph, before: str, node: str, after: str, given: frozenset[str]) -> Node:
    # answer: what a node on a trail does, and whether it blocks
    comes_in, goes_out = graph.has_edge(before, node), graph.has_edge(node, after)
    if comes_in and not goes_out:
        observed = tuple(name for name in (node, *sorted(nx.descendants(graph, node))) if name in given)
        return Node(node, "collider", not observed, observed)
    observed = (node,) if node in given else ()
    return Node(node, "chain" if comes_in == goes_out else "fork", bool(observed), observed)
    # end of answer
