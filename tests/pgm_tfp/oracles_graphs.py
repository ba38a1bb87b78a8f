"""Random graphs, and what tests of graphs and of independence compare with: the definitions, written out slowly."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import combinations, product

import networkx as nx
import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from pgm_tfp.independence import Independence
from pgm_tfp.potentials import Potential

VARIABLES = "ABCDEFGH"
quickly = settings(max_examples=60, deadline=None)
thoroughly = settings(max_examples=250, deadline=None)

Question = tuple[nx.Graph, set[str], set[str], set[str]]  # is x apart from y given the rest?
Triple = tuple[frozenset[str], frozenset[str], frozenset[str]]


@st.composite
def undirected_graphs(draw, least: int = 1, most: int = 7) -> nx.Graph:
    """From no edge at all to complete, often in several parts; the variables in any order."""
    variables = draw(st.permutations(VARIABLES[: draw(st.integers(least, most))]))
    graph = nx.Graph()
    graph.add_nodes_from(variables)
    graph.add_edges_from(_some_pairs(draw, variables))
    return graph


@st.composite
def directed_graphs(draw, least: int = 1, most: int = 6) -> nx.DiGraph:
    """The same with arrows along an order of its own, which is not that of the variables."""
    names = VARIABLES[: draw(st.integers(least, most))]
    graph = nx.DiGraph()
    graph.add_nodes_from(names)
    graph.add_edges_from(_some_pairs(draw, draw(st.permutations(names))))
    return graph


def graphs(least: int = 1, most: int = 5) -> st.SearchStrategy[nx.Graph]:
    """Graphs of either kind."""
    return undirected_graphs(least, most) | directed_graphs(least, most)


@st.composite
def questions(draw, graphs: st.SearchStrategy[nx.Graph]) -> Question:
    """A graph of two or more variables and three disjoint sets of them, the first two not empty."""
    graph = draw(graphs)
    first, second, *others = draw(st.permutations(sorted(graph)))
    places = {"x": {first}, "y": {second}, "given": set(), "nowhere": set()}
    for variable in others:
        places[draw(st.sampled_from(("nowhere", "given", "nowhere", "given", "x", "y")))].add(variable)
    return graph, places["x"], places["y"], places["given"]


def _some_pairs(draw, variables: Sequence[str]) -> list[tuple[str, str]]:
    pairs = list(combinations(variables, 2))
    marks = draw(st.lists(st.integers(0, 3), min_size=len(pairs), max_size=len(pairs)))
    threshold = draw(st.sampled_from((4, 3, 2, 3, 2, 1, 0)))  # 4: no pair, 3: one in four, ..., 0: all
    return [pair for pair, mark in zip(pairs, marks, strict=True) if mark >= threshold]


def every_directed_graph(variables: str) -> Iterator[nx.DiGraph]:
    """All acyclic ones over these variables: 25 over three, 543 over four."""
    for arrows in product((None, 1, -1), repeat=len(variables) * (len(variables) - 1) // 2):
        graph = nx.DiGraph()
        graph.add_nodes_from(variables)
        for pair, arrow in zip(combinations(variables, 2), arrows, strict=True):
            if arrow:
                graph.add_edge(*pair[::arrow])
        if nx.is_directed_acyclic_graph(graph):
            yield graph


def apart(graph: nx.Graph, x: Collection[str], y: Collection[str], given: Collection[str] = ()) -> bool:
    """d-separation by networkx; in an undirected graph: does every path pass a given variable?"""
    if graph.is_directed():
        return nx.is_d_separator(graph, set(x), set(y), set(given))
    paths = (path for pair in product(x, y) for path in nx.all_simple_paths(graph, *pair))
    return all(set(path) & set(given) for path in paths)


def some(variables: Iterable[str]) -> Iterator[set[str]]:
    """All subsets."""
    variables = sorted(variables)
    for chosen in product((False, True), repeat=len(variables)):
        yield {variable for variable, take in zip(variables, chosen, strict=True) if take}


def elementary_statements(variables: Iterable[str]) -> Iterator[Independence]:
    """All statements between two single variables."""
    for x, y in combinations(sorted(variables), 2):
        for given in some(set(variables) - {x, y}):
            yield Independence([x], [y], given)


def asserted(graph: nx.Graph) -> set[Independence]:
    """The elementary statements that hold in a graph."""
    return {
        statement
        for statement in elementary_statements(graph)
        if apart(graph, statement.x, statement.y, statement.given)
    }


def semi_graphoid(statements: Iterable[Independence]) -> set[Independence]:
    """All that follows from statements: the four axioms on sets as Pearl writes them, until nothing new follows."""
    known: set[Triple] = {(statement.x, statement.y, statement.given) for statement in statements}
    while True:
        new: set[Triple] = set()
        for x, y, z in known:
            new.add((y, x, z))  # symmetry
            for part in map(frozenset, some(y)):
                if part:
                    new.add((x, part, z))  # decomposition
                    new.add((x, part, z | (y - part)))  # weak union
            # contraction: x _|_ y | z and x _|_ w | y + z give x _|_ y + w | z
            new |= {(x, y | w, z) for other, w, given in known if other == x and given == y | z}
        if new <= known:
            return {Independence(*triple) for triple in known}
        known |= new


def conditional_mutual_information(
    joint: Potential, x: Collection[str], y: Collection[str], given: Collection[str] = ()
) -> float:
    """I(x; y | z) = sum p(x, y, z) log p(x, y, z) p(z) / (p(x, z) p(y, z)), in nats; zero where x _|_ y | z."""

    def marginal(*kept: Collection[str]) -> np.ndarray:
        gone = [axis for axis, name in enumerate(joint.variables) if not any(name in names for names in kept)]
        return joint.values.sum(tuple(gone), keepdims=True)

    probability = marginal(x, y, given)
    with np.errstate(divide="ignore", invalid="ignore"):  # impossible states, which have no share in the sum
        terms = probability * np.log(probability * marginal(given) / (marginal(x, given) * marginal(y, given)))
    return float(terms[probability > 0].sum())


def dependence(joint: Potential) -> dict[Independence, float]:
    """For each elementary statement how far a distribution is from it, in nats."""
    return {
        statement: conditional_mutual_information(joint, statement.x, statement.y, statement.given)
        for statement in elementary_statements(joint.variables)
    }


def cliques_met(graph: nx.Graph, order: Iterable[str]) -> list[frozenset[str]]:
    """Each variable with its neighbours at the moment when it is eliminated."""
    left, cliques = graph.copy(), []
    for variable in order:
        around = set(left[variable])
        cliques.append(frozenset(around | {variable}))
        left.add_edges_from(combinations(around, 2))
        left.remove_node(variable)
    return cliques


def greedy_order(graph: nx.Graph, last: Collection[str], price) -> list[str]:
    """The cheapest variable first, all prices computed anew at each step; of equals, the first in the graph."""
    left, order = graph.copy(), []
    while left:
        order.append(min(left, key=lambda variable: (variable in last, *price(left, variable))))
        left.add_edges_from(combinations(set(left[order[-1]]), 2))
        left.remove_node(order[-1])
    return order


def degree(graph: nx.Graph, variable: str) -> tuple[int]:
    """The price of a variable where all tables count: how many neighbours it has."""
    return (len(graph[variable]),)


def fill(graph: nx.Graph, variable: str) -> tuple[int, int]:
    """The price of a variable where edges count: how many it adds; of equals, the smallest table."""
    missing = [pair for pair in combinations(graph[variable], 2) if not graph.has_edge(*pair)]
    return len(missing), len(graph[variable])
