from itertools import pairwise, product

import networkx as nx
import pytest
from hypothesis import given

from common.errors import UserError
from pgm_tfp.catalogue import assignment_bayesian_network, assignment_markov_network
from pgm_tfp.graphs import chordless_cycle, undirected_graph
from pgm_tfp.independence import (
    Independence,
    immoralities,
    independencies,
    is_i_map,
    is_perfect_map,
    local_independencies,
    markov_blanket,
    pairwise_independencies,
    separated,
    separation,
)
from pgm_tfp.markov import is_chordal, maximal_cliques, moralize
from tests.pgm_tfp.oracles_graphs import apart, questions, thoroughly, undirected_graphs

undirected_questions = questions(undirected_graphs(2, 6))


@thoroughly
@given(undirected_questions)
def test_sets_are_separated_when_every_path_passes_a_given_variable(question):
    assert separated(*question) == separation(*question).separated == apart(*question)


@thoroughly
@given(undirected_questions)
def test_the_cut_separates_and_none_of_it_can_be_left_out(question):
    graph, x, y, given = question
    found = separation(*question)
    if not found.separated:
        assert found.cut == frozenset()
        return
    assert found.cut <= given
    assert apart(graph, x, y, found.cut)
    assert not any(apart(graph, x, y, found.cut - {variable}) for variable in found.cut)
    assert found.path == ()


@thoroughly
@given(undirected_questions)
def test_the_path_is_a_shortest_one_that_avoids_the_given_variables(question):
    graph, x, y, given = question
    path = separation(*question).path
    left = graph.subgraph(set(graph) - given)
    lengths = [nx.shortest_path_length(left, a, b) for a, b in product(x, y) if nx.has_path(left, a, b)]
    if not lengths:
        assert path == ()
        return
    assert path[0] in x
    assert path[-1] in y
    assert given.isdisjoint(path)
    assert all(graph.has_edge(*edge) for edge in pairwise(path))
    assert len(path) - 1 == min(lengths)


def test_the_reason_shows_the_path_or_the_cut():
    graph = undirected_graph([("A", "B"), ("B", "C"), ("A", "D"), ("D", "C")], "ABCDE")
    assert separation(graph, "A", "C", "B").reason == "not cut: A - D - C"
    assert separation(graph, "A", "C", ["B", "D"]).reason == "every path passes B or D"
    assert separation(graph, "A", "E", "B").reason == "no path joins them"


def test_unknown_variables_and_such_in_two_places_are_errors():
    graph = undirected_graph([("A", "B")])
    with pytest.raises(UserError, match="unknown variable C; known: A, B"):
        separated(graph, "A", "C")
    with pytest.raises(UserError, match="unknown variable C; known: A, B"):
        separated(graph, "A", "B", "C")
    with pytest.raises(UserError, match="A stands in two places"):
        separated(graph, "A", "B", "A")


@pytest.mark.parametrize(
    ("statement", "answer"),
    [("I _|_ F", False), ("B _|_ I | F", False), ("A _|_ G | C, E", True), ("B _|_ F | C, D", True)],
)
def test_the_answers_to_the_assignment_on_its_markov_network(statement, answer):
    question = Independence.parse(statement)
    assert separated(assignment_markov_network(), question.x, question.y, question.given) == answer


def test_what_shows_the_answers_on_the_markov_network():
    network = assignment_markov_network()
    assert separation(network, "B", "I", "F").path == ("B", "C", "G", "I")
    assert separation(network, "A", "G", ["C", "E"]).cut == {"C"}
    assert separation(network, "B", "F", ["C", "D"]).cut == {"C", "D"}
    assert len(separation(network, "I", "F").path) == len("IGCEF")


def test_given_its_blanket_the_rest_of_the_markov_network_tells_nothing_about_b():
    joint = assignment_markov_network().joint()

    def p_b(given):
        """P(B | given), for each state of the given variables."""
        kept = sorted({"B", *given})
        table = joint.over(sorted(joint.variables)).values
        table = table.sum(tuple(axis for axis, name in enumerate(sorted(joint.variables)) if name not in kept))
        return table / table.sum(kept.index("B"), keepdims=True)  # B is the first axis, the others follow

    assert p_b("CDF") == pytest.approx(p_b("CD")[..., None].repeat(2, -1), rel=1e-12)
    assert p_b("CF") != pytest.approx(p_b("C")[..., None].repeat(2, -1), rel=1e-6)


def test_the_markov_network_is_a_product_over_its_maximal_cliques():
    network = assignment_markov_network()
    cliques = ["AB", "BCD", "CDE", "CG", "DEF", "FH", "GI"]
    assert maximal_cliques(undirected_graph(network.graph.edges, "ABCDEFGHI")) == list(map(tuple, cliques))
    assert sorted(maximal_cliques(network)) == list(map(tuple, cliques))
    assert network.factorization().startswith("1/Z phi(A, B) phi(B, C, D) phi(C, D, E) phi(")
    assert network.factorization().count("phi") == len(cliques)
    assert is_chordal(network)


def test_the_assignment_s_bayesian_network_becomes_undirected_by_two_more_edges():
    network = assignment_bayesian_network()
    moral = nx.moral_graph(network.graph)
    added = {frozenset(edge) for edge in moral.edges} - {frozenset(edge) for edge in network.graph.edges}
    assert added == {frozenset({"x2", "x3"}), frozenset({"x4", "x6"})}
    assert immoralities(network) == {("x2", "x5", "x3"), ("x4", "x7", "x6")}
    assert nx.utils.graphs_equal(moralize(network).graph.to_directed(), moral.to_directed())


def test_the_blanket_of_x6_is_its_parents_its_child_and_the_child_s_other_parent():
    network = assignment_bayesian_network()
    assert markov_blanket(network, "x6") == set(nx.moral_graph(network.graph)["x6"]) == {"x3", "x4", "x5", "x7"}


def test_the_moral_graph_is_an_i_map_of_the_network_but_not_a_perfect_one():
    network = assignment_bayesian_network()
    listed = independencies(network)
    moral = nx.moral_graph(network.graph)
    assert is_i_map(moral, listed)
    verdict = is_perfect_map(moral, listed)
    assert not verdict
    lost = listed - independencies(moral)
    assert Independence("x2", "x3", "x1") in lost
    assert Independence.parse(verdict.reason.removeprefix("the list has ").split(", which")[0]) in lost


def test_the_moral_graph_is_not_chordal():
    moral = nx.moral_graph(assignment_bayesian_network().graph)
    assert not is_chordal(moral)
    assert set(chordless_cycle(moral)) in ({"x2", "x4", "x6", "x5"}, {"x2", "x4", "x6", "x3"})


def test_local_and_pairwise_independencies_of_a_path():
    path = undirected_graph(["AB", "BC", "CD"])
    assert list(map(str, local_independencies(path))) == [
        "A _|_ C, D | B",
        "B _|_ D | A, C",
        "C _|_ A | B, D",
        "D _|_ A, B | C",
    ]
    assert list(map(str, pairwise_independencies(path))) == ["A _|_ C | B, D", "A _|_ D | B, C", "B _|_ D | A, C"]
