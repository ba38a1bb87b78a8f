"""Orders of elimination, triangulation and junction trees, against networkx and against brute force."""

from itertools import combinations
from math import prod

import networkx as nx
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pgm_tfp.graphs import edges_within, undirected_graph
from pgm_tfp.triangulation import Elimination, elimination_order, junction_tree, triangulated
from tests.pgm_tfp.oracles_graphs import (
    cliques_met,
    degree,
    fill,
    greedy_order,
    quickly,
    undirected_graphs,
)


@st.composite
def priced(draw, most=7):  # a graph, its variables' numbers of states, and those to be eliminated last
    graph = draw(undirected_graphs(most=most))
    sizes = {variable: draw(st.integers(1, 5)) for variable in graph}
    return graph, sizes, draw(st.sets(st.sampled_from(sorted(graph))))


def edges(graph):
    return {frozenset(edge) for edge in graph.edges}


@quickly
@given(priced())
def test_cliques_and_cells_are_those_met_on_the_way(problem):
    graph, sizes, last = problem
    order, cliques, cells = elimination_order(graph, sizes, last)
    assert sorted(order) == sorted(graph)
    assert cliques == cliques_met(graph, order)
    assert cells == sum(prod(sizes[variable] for variable in clique) for clique in cliques)


@quickly
@given(priced())
def test_what_is_to_be_last_comes_last(problem):
    graph, sizes, last = problem
    order = elimination_order(graph, sizes, last).order
    assert set(order[len(graph) - len(last) :]) == last


@quickly
@given(priced(most=8), st.integers(2, 3))
def test_prices_that_are_kept_up_to_date_give_the_order_of_prices_computed_anew(problem, size):
    graph, _, last = problem
    # With equal sizes, weighting the edges does not change the order.
    orders = [greedy_order(graph, last, price) for price in (fill, degree)]
    cells = [sum(size ** len(clique) for clique in cliques_met(graph, order)) for order in orders]
    assert elimination_order(graph, dict.fromkeys(graph, size), last).order == orders[cells.index(min(cells))]


@pytest.mark.parametrize(
    ("text", "sizes", "cells"),
    [  # by which rule alone finds it: edges added, their weights, tables
        ("AC AE BC BE CF DE DF", (2, 3, 3, 4, 4, 2), 126),
        ("AB AD BC CD", (5, 10, 4, 2), 202),
        ("AB AC AD BE CD CE", (10, 3, 5, 3, 5), 393),
    ],
)
def test_each_of_the_three_rules_is_needed(text, sizes, cells):
    graph = undirected_graph([tuple(edge) for edge in text.split()], "ABCDEF"[: len(sizes)])
    assert elimination_order(graph, dict(zip(graph, sizes, strict=True))).cells == cells


@pytest.mark.parametrize(
    ("nodes", "seed", "states"),
    [  # where the rounding of the edges' weights would decide, and that of the tables
        *((16, 16, [2, 3, 5]), (20, 37, [2, 3, 5])),
        *((24, 45, [2, 3, 5, 7]), (30, 112, [2, 3, 5, 7])),
    ],
)
def test_the_order_does_not_depend_on_what_the_variables_are_called(nodes, seed, states):
    graph = nx.gnp_random_graph(nodes, 3.2 / nodes, seed=seed)
    sizes = np.random.default_rng(seed).choice(states, nodes)
    order = elimination_order(graph, dict(enumerate(sizes))).order
    for factor in (3, 5, 7, 11, 13):  # numbers, so that the order of a set of names is the same in every run
        names = [node * factor % 101 for node in graph]
        named = nx.relabel_nodes(graph, dict(enumerate(names)))
        assert elimination_order(named, dict(zip(names, sizes, strict=True))).order == [names[node] for node in order]


@quickly
@given(priced())
def test_a_triangulated_graph_is_chordal_and_has_all_edges_of_the_graph(problem):
    graph, sizes, _ = problem
    for chordal in (triangulated(graph), triangulated(graph, sizes)):
        assert nx.is_chordal(chordal)
        assert edges(graph) <= edges(chordal)
        assert list(chordal) == list(graph)


@quickly
@given(priced())
@example((nx.path_graph("ABCDE"), dict(zip("ABCDE", (3, 1, 2, 1, 3), strict=True)), set()))  # an edge of no cost
def test_triangulation_adds_nothing_to_a_chordal_graph(problem):
    graph, sizes, _ = problem
    chordal, _ = nx.complete_to_chordal_graph(graph)
    assert edges(triangulated(chordal)) == edges(triangulated(chordal, sizes)) == edges(chordal)


@pytest.mark.parametrize("length", range(4, 9))
def test_triangulation_adds_to_a_cycle_no_more_than_it_must(length):
    assert triangulated(nx.cycle_graph("ABCDEFGH"[:length])).size() == length + (length - 3)


@st.composite
def eliminated(draw):
    """Any order, good or bad, and the triangulated graph that it makes."""
    graph = draw(undirected_graphs(most=8))
    order = draw(st.permutations(sorted(graph)))
    cliques = cliques_met(graph, order)
    filled = undirected_graph(edges_within(cliques), order)
    return Elimination(order, cliques, 0.0), filled


@quickly
@given(eliminated())
def test_a_junction_tree_has_exactly_the_maximal_cliques(problem):
    cliques = junction_tree(problem[0]).cliques
    assert sorted(map(sorted, cliques)) == sorted(map(sorted, nx.find_cliques(problem[1])))


@quickly
@given(eliminated())
def test_separators_are_intersections_and_children_come_before_parents(problem):
    tree = junction_tree(problem[0])
    for child, (parent, separator) in enumerate(zip(tree.parents, tree.separators, strict=True)):
        if parent is None:
            assert separator == frozenset()
        else:
            assert parent > child
            assert separator == tree.cliques[child] & tree.cliques[parent] != frozenset()
    assert tree.parents[-1] is None


@quickly
@given(eliminated())
def test_a_junction_tree_has_one_root_in_each_component(problem):
    assert junction_tree(problem[0]).parents.count(None) == nx.number_connected_components(problem[1])


@quickly
@given(eliminated())
def test_the_cliques_of_each_variable_hang_together(problem):
    tree = junction_tree(problem[0])
    linked = nx.Graph([(child, parent) for child, parent in enumerate(tree.parents) if parent is not None])
    linked.add_nodes_from(range(len(tree.cliques)))
    assert nx.is_forest(linked)
    for variable in problem[1]:
        holding = [index for index, clique in enumerate(tree.cliques) if variable in clique]
        assert nx.is_connected(linked.subgraph(holding))


@quickly
@given(priced())
def test_the_junction_tree_of_a_good_order_covers_the_graph(problem):
    graph, sizes, last = problem
    cliques = junction_tree(elimination_order(graph, sizes, last)).cliques
    covered = {frozenset(pair) for clique in cliques for pair in combinations(clique, 2)}
    assert edges(graph) <= covered
