"""d-separation: the independencies that a directed acyclic graph asserts, with reasons.

A trail between two variables is a path that ignores the directions of edges. A trail is active, given the observed
variables, unless one of its inner nodes blocks it. A chain (-> Z ->) or a fork (<- Z ->) blocks if Z is observed. A
collider (-> Z <-) blocks unless Z or a descendant of Z is observed. Variables are d-separated if no trail between them
is active (Pearl 1988, section 3.3; Koller & Friedman 2009, section 3.3).

networkx's `is_d_separator` gives the same answers, but neither trails nor reasons.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, TypeAlias

import networkx as nx

from common.errors import UserError
from pgm_tfp.graphs import arrows, check_known, graph_of
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
        observed: the node itself if it is observed; for a collider also its observed descendants.
    """

    variable: str
    kind: str
    blocks: bool
    observed: tuple[str, ...]

    def why(self) -> str:
        """Why the node blocks the trail, or does not, as a clause."""
        if self.kind != "collider":
            return f"{self.variable} is a {self.kind} and {'observed' if self.blocks else 'not observed'}"
        if self.blocks:
            return f"{self.variable} is a collider, and neither it nor a descendant of it is observed"
        if self.variable in self.observed:
            return f"{self.variable} is a collider and observed"
        return f"{self.variable} is a collider, and its descendant {' and '.join(self.observed)} is observed"


class TooManyTrailsError(UserError):
    """There are too many trails to list."""


class Trail(NamedTuple):
    """A simple trail, with its inner nodes and the reason why it is active or blocked.

    Attributes:
        nodes: from one end to the other.
        active: whether no inner node blocks the trail.
        reason: why the trail is active or blocked, as a clause.
        text: the trail with its arrows, such as S <- O -> T.
        inner: the nodes between the ends.
    """

    nodes: tuple[str, ...]
    active: bool
    reason: str
    text: str
    inner: tuple[Node, ...]


def d_separated(
    network: Directed, x: str | Iterable[str], y: str | Iterable[str], given: str | Iterable[str] = ()
) -> bool:
    """Whether the graph asserts x _|_ y | given, where each of them is one variable or several.

    Active trails are followed outwards from x, a few steps for each edge (Koller & Friedman 2009, algorithm 3.1).

    Raises:
        UserError: a variable is unknown, or named in two places.
    """
    graph, statement = graph_of(network), Independence(x, y, given)
    check_known(graph, statement.variables)
    return statement.y.isdisjoint(d_connected(graph, statement.x, statement.given))


def trails(network: Directed, x: str, y: str, given: str | Iterable[str] = (), most: int = MOST_TRAILS) -> list[Trail]:
    """Every simple trail between two variables, shortest first, each with the reason why it is active or blocked.

    x and y are d-separated if no simple trail is active, because an active walk that repeats a node can always be
    shortened to an active simple trail.

    Raises:
        UserError: a variable is unknown or named in two places.
        TooManyTrailsError: there are more than `most` trails; `d_separated` answers without listing them, and
            `shortest_trails` lists some.
    """
    graph, statement = graph_of(network), Independence([x], [y], given)
    check_known(graph, statement.variables)
    paths = list(islice(_simple_paths(graph.to_undirected(), x, y), most + 1))
    if len(paths) > most:
        raise TooManyTrailsError(f"more than {most:,} trails join {x} and {y}")
    return [_trail(graph, nodes, statement.given) for nodes in sorted(paths, key=len)]


def shortest_trails(network: Directed, x: str, y: str, given: str | Iterable[str] = (), count: int = 10) -> list[Trail]:
    """The shortest simple trails between two variables, where there are too many to list (Yen 1971).

    Raises:
        UserError: a variable is unknown or named in two places.
    """
    graph, statement = graph_of(network), Independence([x], [y], given)
    check_known(graph, statement.variables)
    undirected = graph.to_undirected()
    if not nx.has_path(undirected, x, y):
        return []
    return [
        _trail(graph, nodes, statement.given) for nodes in islice(nx.shortest_simple_paths(undirected, x, y), count)
    ]


def directed_markov_blanket(graph: nx.DiGraph, variable: str) -> set[str]:
    """Parents, children and the children's other parents; given these, the variable is independent of all others."""
    # answer: the Markov blanket in a directed graph
    children = set(graph.successors(variable))
    parents = {parent for child in (variable, *children) for parent in graph.predecessors(child)}
    return (children | parents) - {variable}
    # end of answer


def directed_local_independencies(graph: nx.DiGraph) -> Iterator[Independence]:
    """The independence of each variable from its non-descendants, given its parents."""
    for variable in graph:
        parents = set(graph.predecessors(variable))
        if others := set(graph) - nx.descendants(graph, variable) - parents - {variable}:
            yield Independence([variable], others, parents)


def directed_pairwise_independencies(graph: nx.DiGraph) -> Iterator[Independence]:
    """The independence of each variable from each non-descendant but its parents, given all other non-descendants."""
    for variable in graph:
        before = set(graph) - nx.descendants(graph, variable) - {variable}
        for other in sorted(before - set(graph.predecessors(variable))):
            yield Independence([variable], [other], before - {other})


def d_connected(graph: nx.DiGraph, sources: Collection[str], given: Collection[str]) -> set[str]:
    """All variables to which an active trail leads from the sources, and the sources."""
    # answer: what active trails reach
    opened = set(given).union(*(nx.ancestors(graph, variable) for variable in given))  # colliders that do not block
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


def _simple_paths(graph: nx.Graph, x: str, y: str) -> Iterator[list[str]]:
    """All simple paths of an undirected graph from x to y, without dead ends.

    Each step goes to a node from which y can still be reached, so the time for each path is bounded. networkx's
    `all_simple_paths` runs into dead ends: on barley it searched for more than a minute without its 500th path.
    """
    path, ahead = [x], [_on_the_way(graph, {x}, x, y)]
    while ahead:
        if not ahead[-1]:
            ahead.pop()
            path.pop()
            continue
        node = ahead[-1].pop()
        if node == y:
            yield [*path, y]
        else:
            path.append(node)
            ahead.append(_on_the_way(graph, {*path}, node, y))


def _on_the_way(graph: nx.Graph, visited: set[str], node: str, y: str) -> list[str]:
    """The neighbours of a node from which a path leads to y past no visited node, last neighbour first."""
    reached, edge = {y}, [y]
    while edge:
        for other in graph[edge.pop()]:
            if other not in reached and other not in visited:
                reached.add(other)
                edge.append(other)
    return [other for other in reversed([*graph[node]]) if other in reached]


def _trail(graph: nx.DiGraph, nodes: list[str], given: frozenset[str]) -> Trail:
    """The trail along these nodes."""
    inner = tuple(
        _inner_node(graph, before, node, after, given)
        for before, node, after in zip(nodes, nodes[1:], nodes[2:], strict=False)
    )
    active = not any(node.blocks for node in inner)
    return Trail(tuple(nodes), active, reason_of(inner), arrows(graph, nodes), inner)


def reason_of(inner: Sequence[Node], why: Callable[[Node], str] = Node.why) -> str:
    """Why a trail with these inner nodes is active or blocked, as a clause.

    Args:
        why: says of one node why it blocks, or does not.
    """
    if blocking := [node for node in inner if node.blocks]:
        where = " and ".join(node.variable for node in blocking)
        return f"blocked at {where}: {'; '.join(map(why, blocking))}"
    return f"active: {'; '.join(map(why, inner))}" if inner else "active: an edge joins them"


def _inner_node(graph: nx.DiGraph, before: str, node: str, after: str, given: frozenset[str]) -> Node:
    """A node of a trail, between the nodes before and after it."""
    # answer: what a node on a trail does, and whether it blocks
    comes_in, goes_out = graph.has_edge(before, node), graph.has_edge(node, after)
    if comes_in and not goes_out:
        observed = tuple(name for name in (node, *sorted(nx.descendants(graph, node))) if name in given)
        return Node(node, "collider", not observed, observed)
    observed = (node,) if node in given else ()
    return Node(node, "chain" if comes_in == goes_out else "fork", bool(observed), observed)
    # end of answer
