import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from pgm_tfp.independence import Independence, closure, elementary
from pgm_tfp.networks import BayesianNetwork
from pgm_tfp.potentials import Potential
from tests.pgm_tfp.oracles_graphs import (
    dependence,
    directed_graphs,
    elementary_statements,
    questions,
    quickly,
    semi_graphoid,
    some,
    undirected_graphs,
)

FOUR = "ABCD"
sides = questions(undirected_graphs(least=2)).map(lambda question: question[1:])
statements = questions(undirected_graphs(4, 4)).map(lambda question: Independence(*question[1:]))
lists = st.lists(statements, max_size=5)


def single(statement):
    return len(statement.x) == len(statement.y) == 1


@quickly
@given(sides)
def test_a_statement_is_equal_to_itself_with_its_sides_exchanged(parts):
    x, y, given = parts
    there, back = Independence(x, y, given), Independence(y, x, given)
    assert there == back
    assert hash(there) == hash(back)
    assert len({there, back}) == 1


def test_statements_with_other_sides_or_another_condition_differ():
    texts = ["A _|_ B", "A _|_ C", "A _|_ B | C", "A _|_ C | B", "A, B _|_ C", "A _|_ B, C", "A, B _|_ C | D"]
    assert len(set(map(Independence.parse, texts))) == len(texts)
    assert Independence("A", "B") != "A _|_ B"


@quickly
@given(sides)
def test_a_statement_that_is_printed_can_be_read_again(parts):
    statement = Independence(*parts)
    assert Independence.parse(str(statement)) == statement
    assert Independence.parse(statement.symbols()) == statement


def test_names_may_be_words_and_blanks_around_them_do_not_count():
    statement = Independence.parse("  open door ,A1_|_  siren|x2 ,  O ")
    assert statement == Independence({"open door", "A1"}, "siren", ("O", "x2"))
    assert str(statement) == "A1, open door _|_ siren | O, x2"
    assert statement.symbols() == "A1, open door ⊥ siren | O, x2"


@pytest.mark.parametrize(
    "text", ["", "A", "A, B", "A | B", "A _|_ B _|_ C", "A _|_ B | C | D", "A _|_ B | C _|_ D", "A | B _|_ C"]
)
def test_text_that_is_no_statement_is_an_error_that_shows_one(text):
    with pytest.raises(UserError, match=r"is not a statement of independence; write it as S _\|_ M \| O") as error:
        Independence.parse(text)
    assert repr(text) in str(error.value)


@pytest.mark.parametrize("text", ["_|_ B", "A _|_", "A _|_ | C", "_|_"])
def test_a_side_without_a_variable_is_an_error(text):
    with pytest.raises(UserError, match="a variable is missing on one side"):
        Independence.parse(text)


@pytest.mark.parametrize("text", ["A, B _|_ C, B", "A, B _|_ C | B", "A _|_ B, C | D, B"])
def test_a_variable_in_two_places_is_an_error_that_names_it(text):
    with pytest.raises(UserError, match=": B stands in two places"):
        Independence.parse(text)


def test_a_statement_about_several_variables_is_split_into_those_about_two():
    parts = ["A _|_ C | D", "A _|_ C | B, D", "B _|_ C | D", "B _|_ C | A, D"]
    whole = Independence({"A", "B"}, "C", "D")
    assert whole.elementary() == elementary([whole]) == set(map(Independence.parse, parts))
    assert whole.variables == set("ABCD")
    assert elementary([]) == set()


@quickly
@given(statements)
def test_a_statement_and_its_parts_follow_from_each_other(statement):
    assert {part for part in semi_graphoid([statement]) if single(part)} == statement.elementary()
    assert statement in semi_graphoid(statement.elementary())


@quickly
@given(lists)
def test_the_closure_is_that_of_the_semi_graphoid_axioms(listed):
    by_axioms = semi_graphoid(listed)
    closed = closure(listed)
    assert closed == {statement for statement in by_axioms if single(statement)}
    for x in map(frozenset, some(FOUR)):
        for y in map(frozenset, some(set(FOUR) - x)):
            if x and y:
                for given in some(set(FOUR) - x - y):
                    statement = Independence(x, y, given)
                    assert (statement in by_axioms) == (statement.elementary() <= closed)


@quickly
@given(st.lists(st.sampled_from(list(elementary_statements(FOUR))), max_size=8))
def test_the_closure_of_single_variables_is_that_of_the_axioms_too(listed):
    assert closure(listed) == {statement for statement in semi_graphoid(listed) if single(statement)}


def test_contraction_and_weak_union_on_a_known_list():
    listed = [Independence("A", "B", "C"), Independence("A", "C")]
    assert closure(listed) == {*listed, Independence("A", "B"), Independence("A", "C", "B")}
    assert closure([Independence("A", "B"), Independence("A", "C")]) == {Independence("A", "B"), Independence("A", "C")}


@quickly
@given(lists)
def test_closing_twice_adds_nothing(listed):
    closed = closure(listed)
    assert elementary(listed) <= closed == closure(closed)


def closed_as_it_is(joint):
    listed = {statement for statement, nats in dependence(joint).items() if nats < 1e-12}
    return closure(listed) == listed


@quickly
@given(st.sets(st.tuples(*[st.integers(0, 1)] * 4), min_size=1))
def test_what_holds_under_equally_likely_outcomes_is_closed(outcomes):
    table = np.zeros((2, 2, 2, 2))
    table[tuple(np.transpose(sorted(outcomes)))] = 1.0
    assert closed_as_it_is(Potential(FOUR, table).normalized())


@quickly
@given(st.lists(st.lists(st.integers(0, 1), min_size=4, max_size=4), min_size=1, max_size=3))
def test_what_holds_of_sums_of_coins_modulo_two_is_closed(coins):
    table = np.zeros((2, 2, 2, 2))
    for flips in np.ndindex(*[2] * len(coins)):
        table[tuple(np.array(flips) @ np.array(coins) % 2)] += 1.0
    assert closed_as_it_is(Potential(FOUR, table).normalized())


@quickly
@given(directed_graphs(4, 4), st.integers(0, 100))
def test_what_holds_in_a_random_network_is_closed(graph, seed):
    assert closed_as_it_is(BayesianNetwork.from_edges(graph.edges, graph, seed).joint())


def test_exclusive_or_is_independent_in_pairs_and_in_no_other_way():
    table = np.zeros((2, 2, 2))
    for a, b in np.ndindex(2, 2):
        table[a, b, a ^ b] = 0.25
    holding = {statement for statement, nats in dependence(Potential("ABC", table)).items() if nats < 1e-12}
    assert holding == closure(holding) == set(map(Independence.parse, ["A _|_ B", "A _|_ C", "B _|_ C"]))
