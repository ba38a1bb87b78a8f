import re

import networkx as nx
import pytest
from hypothesis import given

from common.errors import UserError
from pgm_tfp.catalogue import server_room
from pgm_tfp.graphs import directed_graph
from pgm_tfp.independence import (
    TooManyTrailsError,
    d_separated,
    local_independencies,
    pairwise_independencies,
    shortest_trails,
    trails,
)
from tests.pgm_tfp.oracles_exact import pgmpy_model
from tests.pgm_tfp.oracles_graphs import apart, directed_graphs, questions, quickly, thoroughly

CHAIN, FORK, COLLIDER = "A->M M->B", "M->A M->B", "A->M B->M"


def graph_of(text):
    return directed_graph([tuple(edge.split("->")) for edge in text.split()])


def only_trail(text, given=()):
    (trail,) = trails(graph_of(text), "A", "B", given)
    return trail


def lets_pass(graph, text, given):
    """Read off the trail as printed: of its inner nodes, do colliders alone have an observed descendant or self?"""
    nodes, arrows = text.split(" ")[::2], text.split(" ")[1::2]
    opened = set(given).union(*(nx.ancestors(graph, variable) for variable in given))
    return all(
        node in opened if (before, after) == ("->", "<-") else node not in given
        for node, before, after in zip(nodes[1:], arrows, arrows[1:], strict=False)
    )


@thoroughly
@given(questions(directed_graphs(2, 7)))
def test_d_separation_is_that_of_networkx(question):
    assert d_separated(*question) == apart(*question)


@quickly
@given(questions(directed_graphs(2, 5)))
def test_variables_are_separated_when_no_trail_between_them_is_active(question):
    graph, xs, ys, given = question
    x, y = min(xs), min(ys)
    assert any(trail.active for trail in trails(graph, x, y, given)) == (not apart(graph, [x], [y], given))


@quickly
@given(questions(directed_graphs(2, 5)))
def test_trails_are_all_simple_paths_the_shortest_first_and_judged_by_their_arrows(question):
    graph, xs, ys, given = question
    x, y = min(xs), min(ys)
    found = trails(graph, x, y, given)
    assert sorted(trail.nodes for trail in found) == sorted(
        map(tuple, nx.all_simple_paths(graph.to_undirected(), x, y))
    )
    assert [len(trail.nodes) for trail in found] == sorted(len(trail.nodes) for trail in found)
    for trail in found:
        assert tuple(re.split(" <- | -> ", trail.text)) == trail.nodes
        for start, arrow, end in re.findall(r"(?=(\w) (<-|->) (\w))", trail.text):
            assert graph.has_edge(*((start, end) if arrow == "->" else (end, start)))
        assert trail.active == lets_pass(graph, trail.text, given)
        assert tuple(node.variable for node in trail.inner) == trail.nodes[1:-1]
        assert trail.active == (not any(node.blocks for node in trail.inner))


@pytest.mark.parametrize(
    ("graph", "text", "kind", "passes", "blocked"),
    [
        (CHAIN, "A -> M -> B", "chain", "M is a chain and not observed", "M is a chain and observed"),
        ("B->M M->A", "A <- M <- B", "chain", "M is a chain and not observed", "M is a chain and observed"),
        (FORK, "A <- M -> B", "fork", "M is a fork and not observed", "M is a fork and observed"),
    ],
)
def test_a_chain_and_a_fork_let_pass_unless_observed(graph, text, kind, passes, blocked):
    without, given = only_trail(graph), only_trail(graph, "M")
    assert without.text == given.text == text
    assert (without.active, without.reason) == (True, f"active: {passes}")
    assert (given.active, given.reason) == (False, f"blocked at M: {blocked}")
    assert without.inner[0].kind == given.inner[0].kind == kind
    assert (without.inner[0].observed, given.inner[0].observed) == ((), ("M",))


def test_a_collider_blocks_unless_observed():
    without, given = only_trail(COLLIDER), only_trail(COLLIDER, "M")
    assert without.text == given.text == "A -> M <- B"
    assert not without.active
    assert without.reason == "blocked at M: M is a collider, and neither it nor a descendant of it is observed"
    assert given.active
    assert given.reason == "active: M is a collider and observed"
    assert without.inner[0].kind == given.inner[0].kind == "collider"


def test_a_collider_lets_pass_where_a_descendant_is_observed_and_the_reason_names_it():
    trail = only_trail(f"{COLLIDER} M->C C->D C->E M->F", "D")
    assert trail.active
    assert trail.reason == "active: M is a collider, and its descendant D is observed"
    assert trail.inner[0].observed == ("D",)
    assert only_trail(f"{COLLIDER} M->C C->D M->F", ["F", "C"]).reason.endswith("its descendant C and F is observed")


def test_trails_of_equal_length_come_in_the_order_of_the_edges():
    middle = "KCXAZBMQ"
    texts = [trail.text for trail in trails(graph_of(" ".join(f"S->{name} {name}->T" for name in middle)), "S", "T")]
    assert texts == [f"S -> {name} -> T" for name in middle]


def test_an_edge_is_active_whatever_is_given():
    trail = only_trail("A->B B->C", "C")
    assert (trail.active, trail.reason, trail.inner) == (True, "active: an edge joins them", ())


def test_a_trail_that_is_blocked_twice_says_where_and_why():
    because = "M is a chain and observed; N is a collider, and neither it nor a descendant of it is observed"
    assert only_trail("A->M M->N B->N", "M").reason == f"blocked at M and N: {because}"


def test_too_many_trails_to_list_are_an_error_of_their_own():
    complete = directed_graph((a, b) for i, a in enumerate("ABCDEFGHIJ") for b in "ABCDEFGHIJ"[i + 1 :])
    with pytest.raises(TooManyTrailsError, match="more than 10,000 trails join A and J"):
        trails(complete, "A", "J")
    assert not d_separated(complete, "A", "J")


@pytest.mark.parametrize("ask", [d_separated, trails])
def test_unknown_variables_and_such_in_two_places_are_errors(ask):
    with pytest.raises(UserError, match="unknown variable X; known: O, A, T, M, S"):
        ask(server_room(), "S", "M", "X")
    with pytest.raises(UserError, match="S stands in two places"):
        ask(server_room(), "S", "M", "S")


@pytest.mark.parametrize(
    ("x", "y", "given", "answer"),
    [("O", "A", (), True), ("O", "A", "M", False), ("S", "M", (), False), ("S", "M", "O", True)],
)
def test_the_answers_to_the_assignment_on_the_server_room(x, y, given, answer):
    assert d_separated(server_room(), x, y, given) == answer
    assert any(trail.active for trail in trails(server_room(), x, y, given)) != answer


def test_the_reasons_for_the_answers_on_the_server_room():
    def shown(x, y, given=()):
        return [(trail.text, trail.reason) for trail in trails(server_room(), x, y, given)]

    nothing = "T is a collider, and neither it nor a descendant of it is observed"
    assert shown("O", "A") == [("O -> T <- A", f"blocked at T: {nothing}")]
    assert shown("O", "A", "M") == [("O -> T <- A", "active: T is a collider, and its descendant M is observed")]
    passing = "active: O is a fork and not observed; T is a chain and not observed"
    assert shown("S", "M") == [("S <- O -> T -> M", passing)]
    assert shown("S", "M", "O") == [("S <- O -> T -> M", "blocked at O: O is a fork and observed")]


def test_local_and_pairwise_independencies_of_the_server_room():
    assert list(map(str, local_independencies(server_room()))) == [
        "O _|_ A",
        "A _|_ O, S",
        "T _|_ S | A, O",
        "M _|_ A, O, S | T",
        "S _|_ A, M, T | O",
    ]
    assert set(map(str, pairwise_independencies(server_room()))) == {
        "O _|_ A",
        "A _|_ O | S",
        "A _|_ S | O",
        "T _|_ S | A, O",
        *("M _|_ A | O, S, T", "M _|_ O | A, S, T", "M _|_ S | A, O, T"),
        *("S _|_ A | M, O, T", "S _|_ M | A, O, T", "S _|_ T | A, M, O"),
    }


@given(directed_graphs(least=2))
def test_the_trails_are_the_simple_paths_of_networkx(graph):
    x, y = [*graph][:2]
    expected = {tuple(path) for path in nx.all_simple_paths(graph.to_undirected(), x, y)}
    found = [trail.nodes for trail in trails(graph, x, y)]
    assert len(found) == len(expected)
    assert set(found) == expected
    shortest = [trail.nodes for trail in shortest_trails(graph, x, y, count=3)]
    assert [*map(len, shortest)] == sorted(map(len, expected))[:3]
    assert set(shortest) <= expected


def test_a_search_for_trails_runs_into_no_dead_ends():
    # From x into a dense part, and from x along one edge to y: the paths through the dense part never arrive.
    dense = [(f"d{i}", f"d{j}") for i in range(14) for j in range(i + 1, 14)]
    graph = directed_graph([("x", "d0"), ("x", "d13"), ("x", "y"), *dense])
    assert [trail.nodes for trail in trails(graph, "x", "y")] == [("x", "y")]
    # In this network, networkx's `all_simple_paths` searches for more than a minute without its 500th path.
    barley = directed_graph(pgmpy_model("barley").edges)
    with pytest.raises(TooManyTrailsError):
        trails(barley, "jordtype", "nedbarea", most=500)
    assert len(shortest_trails(barley, "jordtype", "nedbarea", count=5)) == 5
