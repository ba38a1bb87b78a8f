from itertools import pairwise

import networkx as nx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from common.errors import UserError
from pgm_tfp.graphs import (
    check_known,
    chordless_cycle,
    directed_graph,
    edges_within,
    topological_order,
    undirected_graph,
)
from tests.pgm_tfp.oracles_graphs import (
    directed_graphs,
    quickly,
    undirected_graphs,
)


@quickly
@given(st.lists(st.tuples(*[st.sampled_from("ABCDE")] * 2).filter(lambda edge: edge[0] != edge[1]), max_size=12))
@example([("D", "A"), ("A", "B"), ("B", "C"), ("C", "A"), ("C", "E")])
def test_a_cycle_is_named_in_the_error(some_edges):
    if nx.is_directed_acyclic_graph(nx.DiGraph(some_edges)):
        assert set(directed_graph(some_edges).edges) == set(some_edges)
        return
    with pytest.raises(UserError, match=r"the edges form a cycle: .*; leave one of them out") as error:
        directed_graph(some_edges)
    cycle = str(error.value).split(": ")[1].split(";")[0].split(" -> ")
    assert cycle[0] == cycle[-1]
    assert set(pairwise(cycle)) <= set(some_edges)
    assert len(set(cycle)) == len(cycle) - 1


def test_loops_are_errors_and_named():
    with pytest.raises(UserError, match="cycle: B -> B;"):
        directed_graph([("A", "B"), ("B", "B")])
    with pytest.raises(UserError, match="the edge B-B joins a variable to itself"):
        undirected_graph([("A", "B"), ("B", "B")])


def test_variables_come_first_and_may_have_no_edges():
    for graph in (directed_graph([("C", "A")], "AB"), undirected_graph([("C", "A")], "AB")):
        assert list(graph) == ["A", "B", "C"]
        assert graph.size() == 1


def test_an_unknown_variable_is_an_error_that_suggests_the_nearest():
    graph = undirected_graph([("rain", "grass")])
    check_known(graph, ["rain", "grass"])
    with pytest.raises(UserError, match="unknown variable rian; did you mean rain"):
        check_known(graph, ["grass", "rian"])


@quickly
@given(directed_graphs(most=5))
def test_the_topological_order_is_the_first_possible_in_order_of_insertion(graph):
    orders = nx.all_topological_sorts(graph)
    assert topological_order(graph) == min(orders, key=lambda order: [list(graph).index(name) for name in order])
    assert topological_order(directed_graph(["ZA", "MA"], "ZMA")) == ["Z", "M", "A"]


def test_variables_of_one_scope_are_joined():
    assert set(edges_within(["ABC", "CD", "E"])) == {("A", "B"), ("A", "C"), ("B", "C"), ("C", "D")}


@quickly
@given(undirected_graphs())
@example(nx.cycle_graph("ABCDEFG"))
def test_a_chordless_cycle_is_one_and_is_found_unless_the_graph_is_chordal(graph):
    cycle = chordless_cycle(graph)
    assert (cycle is None) == nx.is_chordal(graph)
    if cycle:
        assert len(set(cycle)) == len(cycle) >= 4
        assert set(map(frozenset, graph.subgraph(cycle).edges)) == {
            frozenset(pair) for pair in pairwise([*cycle, cycle[0]])
        }
