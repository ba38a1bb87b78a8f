import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from pgm_tfp.catalogue import assignment_bayesian_network, assignment_markov_network, server_room
from pgm_tfp.graphs import directed_graph, undirected_graph
from pgm_tfp.independence import (
    Independence,
    closure,
    i_equivalent,
    immoralities,
    independencies,
    is_i_map,
    is_minimal_i_map,
    is_perfect_map,
    local_independencies,
    markov_blanket,
    pairwise_independencies,
    without,
)
from pgm_tfp.markov import MarkovNetwork
from pgm_tfp.networks import BayesianNetwork
from tests.pgm_tfp.oracles_graphs import (
    apart,
    asserted,
    dependence,
    directed_graphs,
    every_directed_graph,
    graphs,
    quickly,
    semi_graphoid,
    some,
)

# Conditional mutual information in nats. Under these seeds what a graph asserts comes to 4e-16 at most, rounding.
# Of what a graph denies, the smallest is 1.3e-11, in Markov network 6; the next network's smallest is 1.4e-9, and that
# of a Bayesian network 2.3e-7. Each threshold leaves a factor of more than ten on its side, and a hundred between them.
INVISIBLE = 1e-14
VISIBLE = 1e-12
SEEDS = range(16)


def read(*texts):
    return [Independence.parse(text) for text in texts]


def chain(text):
    return undirected_graph([tuple(edge) for edge in text.split()], "ABC")


@quickly
@given(graphs())
def test_all_independencies_between_two_variables_are_listed(graph):
    assert independencies(graph) == asserted(graph)


@quickly
@given(graphs())
def test_the_blanket_shields_a_variable_and_no_part_of_it_does(graph):
    for variable in graph:
        others = set(graph) - {variable}
        blanket = markov_blanket(graph, variable)
        assert blanket <= others
        shielding = [
            given for given in some(others) if given == others or apart(graph, {variable}, others - given, given)
        ]
        assert blanket in shielding
        assert all(blanket <= given for given in shielding)


@quickly
@given(graphs())
def test_local_and_pairwise_independencies_are_asserted(graph):
    for statement in local_independencies(graph) + pairwise_independencies(graph):
        assert apart(graph, statement.x, statement.y, statement.given)


@quickly
@given(directed_graphs(most=5))
def test_all_independencies_of_a_directed_graph_follow_from_the_local_ones(graph):
    assert closure(local_independencies(graph)) == independencies(graph)


@pytest.mark.parametrize("network", [assignment_bayesian_network(), assignment_markov_network()])
def test_networks_are_asked_like_their_graphs(network):
    for ask in (independencies, local_independencies, pairwise_independencies):
        assert ask(network) == ask(network.graph)
    for variable in network.graph:
        assert markov_blanket(network, variable) == markov_blanket(network.graph, variable)


def test_unknown_variables_and_too_many_are_errors():
    with pytest.raises(UserError, match="unknown variable X; known"):
        markov_blanket(server_room(), "X")
    with pytest.raises(UserError, match="unknown variable X; known"):
        is_i_map(server_room(), read("S _|_ X"))
    with pytest.raises(UserError, match=r"11 variables have too many .* use local_independencies instead"):
        independencies(nx.path_graph("ABCDEFGHIJK"))
    assert len(independencies(nx.empty_graph("ABCDEFGHIJ"[:5]))) == 10 * 2**3


@quickly
@given(graphs(4, 4), graphs(4, 4))
def test_verdicts_are_those_of_the_definitions(graph, source):
    listed = asserted(source)
    one_less = [asserted(without(graph, edge)) <= listed for edge in graph.edges]
    assert is_i_map(graph, listed).holds == (asserted(graph) <= listed)
    assert is_minimal_i_map(graph, listed).holds == (asserted(graph) <= listed and not any(one_less))
    assert is_perfect_map(graph, listed).holds == (asserted(graph) == listed)


@quickly
@given(graphs(3, 4), st.data())
def test_lists_are_taken_with_all_that_follows_from_them(graph, data):
    listed = data.draw(st.lists(st.sampled_from(sorted(asserted(graph), key=str) or read("A _|_ B")), max_size=6))
    follows = {statement for statement in semi_graphoid(listed) if len(statement.x) == len(statement.y) == 1}
    for judge, holds in ((is_i_map, asserted(graph) <= follows), (is_perfect_map, asserted(graph) == follows)):
        verdict = judge(graph, listed)
        assert verdict.holds == holds
        assert verdict.closed == (set(listed) == follows)


@quickly
@given(graphs())
def test_without_any_one_of_its_edges_a_graph_is_no_i_map_of_its_own_independencies(graph):
    listed = independencies(graph)
    assert is_perfect_map(graph, listed)
    assert is_minimal_i_map(graph, listed)
    for edge in graph.edges:
        fewer = without(graph, edge)
        assert set(fewer.edges) == set(graph.edges) - {edge}
        assert not is_i_map(fewer, listed)
        assert graph.has_edge(*edge)


@pytest.mark.parametrize("graph", [chain("AB AC BC"), directed_graph(["AB", "AC", "BC"])])
def test_a_complete_graph_is_an_i_map_of_anything_but_of_little_a_minimal_or_perfect_one(graph):
    listed = read("A _|_ C | B")
    assert is_i_map(graph, listed)
    assert is_i_map(graph, [])
    assert is_minimal_i_map(graph, [])
    assert is_perfect_map(graph, [])
    minimal, perfect = is_minimal_i_map(graph, listed), is_perfect_map(graph, listed)
    assert not minimal
    assert minimal.reason == f"an I-map, but it stays an I-map without A {'->' if graph.is_directed() else '-'} C"
    assert not perfect
    assert perfect.reason == "the list has A _|_ C | B, which the graph does not assert"


def test_a_graph_that_asserts_more_than_the_list_is_no_i_map_and_the_reason_names_the_simplest():
    graph = chain("AB")
    for judge in (is_i_map, is_minimal_i_map, is_perfect_map):
        verdict = judge(graph, read("A _|_ C | B"))
        assert not verdict
        assert verdict.reason == "the graph asserts A _|_ C, which is not in the list"


def test_the_reason_is_the_same_whichever_way_around_the_list_has_its_statements():
    graph = undirected_graph(["CA", "AB", "CB"])
    for text in ("A _|_ C | B", "C _|_ A | B"):
        assert is_perfect_map(graph, read(text)).reason == "the list has C _|_ A | B, which the graph does not assert"


def test_a_list_that_is_not_closed_is_reported_and_closed():
    listed = read("A _|_ B | C", "A _|_ C")
    for statements, closed in ((listed, False), (closure(listed), True), (read("A _|_ B, C"), True)):
        verdict = is_perfect_map(chain("BC"), statements)
        assert verdict
        assert verdict.closed is closed


def test_an_immorality_has_no_perfect_undirected_map():
    listed = independencies(directed_graph(["AC", "BC"], "ABC"))
    maps = [chain(" ".join(edges)) for edges in some(["AB", "AC", "BC"])]
    assert not any(is_perfect_map(graph, listed) for graph in maps)
    assert [graph.size() for graph in maps if is_minimal_i_map(graph, listed)] == [3]


def test_a_cycle_of_four_has_no_perfect_directed_map():
    listed = independencies(nx.cycle_graph("ABCD"))
    assert not any(is_perfect_map(graph, listed) for graph in every_directed_graph("ABCD"))


@quickly
@given(directed_graphs(4, 5), directed_graphs(4, 5), st.data())
def test_graphs_are_equivalent_when_they_assert_the_same(a, b, data):
    turned = a.copy()
    for edge in data.draw(st.lists(st.sampled_from(sorted(a.edges)), max_size=3) if a.size() else st.just([])):
        if turned.has_edge(*edge):
            turned.remove_edge(*edge)
            turned.add_edge(*reversed(edge))
    for other in (b, turned):
        if set(a) == set(other) and nx.is_directed_acyclic_graph(other):
            assert i_equivalent(a, other).holds == (independencies(a) == independencies(other))


def test_the_graphs_over_four_variables_fall_into_185_classes():
    # Andersson, Madigan & Perlman 1997, table 1: 543 graphs, 185 essential ones.
    classes = {}
    for graph in every_directed_graph("ABCD"):
        classes.setdefault(frozenset(asserted(graph)), []).append(graph)
    first = [graphs[0] for graphs in classes.values()]
    assert (sum(map(len, classes.values())), len(first)) == (543, 185)
    assert all(i_equivalent(graphs[0], graph) for graphs in classes.values() for graph in graphs)
    assert not any(i_equivalent(a, b) for index, a in enumerate(first) for b in first[:index])


def test_the_reason_why_graphs_are_equivalent_or_not():
    fork, collider = directed_graph(["BA", "BC"]), directed_graph(["AB", "CB"])
    assert i_equivalent(fork, directed_graph(["AB", "BC"])).reason == "the same skeleton and the same immoralities"
    assert i_equivalent(fork, collider).reason == "only one of them has the immorality A -> B <- C"
    assert i_equivalent(fork, directed_graph(["BA", "AC"])).reason == "only one of them joins A and C"
    assert i_equivalent(fork, directed_graph(["BA"])).reason == "only one of them has C"
    assert immoralities(server_room()) == {("A", "T", "O")}
    assert immoralities(directed_graph(["CB", "AB", "AC"])) == set()


@pytest.mark.parametrize("kind", [BayesianNetwork, MarkovNetwork])
@pytest.mark.parametrize("seed", SEEDS)
def test_what_a_graph_asserts_holds_in_the_distribution_and_what_it_denies_does_not(kind, seed):
    variables = "ABCD" if seed % 2 else "ABCDE"
    graph = nx.gnp_random_graph(len(variables), 0.5, seed=seed)
    edges = [(variables[start], variables[end]) for start, end in graph.edges]
    network = kind.from_edges(edges, variables, seed)
    claimed = independencies(network)
    for statement, nats in dependence(network.joint()).items():
        if statement in claimed:
            assert abs(nats) < INVISIBLE
        else:
            assert nats > VISIBLE
