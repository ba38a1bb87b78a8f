"""UAI files in the order that the format defines, and in those that programs write."""

import logging
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from pgm_tfp.uai import read_uai, read_uai_evidence
from tests.pgm_tfp.oracles_exact import quickly, rows

# As pyAgrum 3.3.1 has written a network A -> C <- B, C -> D <- A: its tables say P(C = 0 | A = 1, B = 0) = 0.341158.
OF_PYAGRUM = """BAYES
4
2 3 2 2
4
1 0   # A
1 1   # B
3 0 1 2   # C
3 2 0 3   # D


2
  0.59549 0.40451

3
  0.663523 0.009707 0.32677

12
  0.365444 0.634556
  0.341158 0.658842
  0.0404111 0.959589
  0.539288 0.460712
  0.504809 0.495191
  0.336913 0.663087

8
  0.452124 0.547876
  0.762269 0.237731
  0.15325 0.84675
  0.413849 0.586151
"""


def as_text(kind, sizes, scopes, flats, layout):
    """A UAI file; `layout` makes of a list of words what stands between them."""
    words = [kind, str(len(sizes)), *map(str, sizes), str(len(scopes))]
    for scope in scopes:
        words += [str(len(scope)), *map(str, scope)]
    for flat in flats:
        words += [str(len(flat)), *(repr(float(value)) for value in flat)]
    return layout(words)


@st.composite
def layouts(draw):
    """Any white space between words, and comments at the ends of lines."""
    gaps = draw(st.lists(st.sampled_from([" ", "  ", "\n", "\n\n", "\t", " # 3 a comment\n", "\r\n"]), min_size=1))

    def layout(words):
        return "".join(word + gaps[place % len(gaps)] for place, word in enumerate(words))

    return layout


@st.composite
def bayesian(draw):
    """Sizes, and for each variable its parents and its table (states of each parent..., states)."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=5))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scopes = []
    for child in draw(st.permutations(range(len(sizes)))):
        earlier = [scope[-1] for scope in scopes]
        parents = draw(st.lists(st.sampled_from(earlier), unique=True, max_size=3)) if earlier else []
        scopes.append([*parents, child])
    return sizes, scopes, [rows(random, [sizes[variable] for variable in scope], 0.0) for scope in scopes]


def several_parents(sizes, scopes):
    """Can the order of the parents make a difference?"""
    return any(sum(sizes[parent] > 1 for parent in scope[:-1]) > 1 and sizes[scope[-1]] > 1 for scope in scopes)


@quickly
@given(bayesian(), layouts())
def test_a_bayesian_network_is_read_as_the_format_defines_it_and_what_is_unclear_is_said(network, layout):
    sizes, scopes, tables = network
    messages = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pgm_tfp.uai.log.warning", lambda message, *parts: messages.append(message % parts))
        found = read_uai(as_text("BAYES", sizes, scopes, [table.ravel() for table in tables], layout), "n.uai")
    assert found.states == {f"var_{variable}": range(size) for variable, size in enumerate(sizes)}
    for (*parents, child), table in zip(scopes, tables, strict=True):
        ours = found.tables[f"var_{child}"]
        assert ours.parents == tuple(f"var_{parent}" for parent in parents)
        assert list(ours.states) == list(range(sizes[child]))
        np.testing.assert_array_equal(ours.probabilities, table)
    assert len(messages) == several_parents(sizes, scopes)
    assert all("n.uai: the order in which the parents of var_" in message for message in messages)


@quickly
@given(bayesian(), layouts())
def test_the_order_in_which_pgmpy_writes_is_told_from_rows_that_sum_to_one(network, layout):
    sizes, scopes, tables = network
    text = as_text("BAYES", sizes, scopes, [table.T.ravel() for table in tables], layout)
    found = read_uai(text, "n.uai").tables
    straight = [np.reshape(table.T.ravel(), table.shape) for table in tables]
    told = any(np.abs(table.sum(-1) - 1.0).max() > 1e-3 for table in straight)
    for (*_, child), theirs, as_defined in zip(scopes, tables, straight, strict=True):
        np.testing.assert_array_equal(found[f"var_{child}"].probabilities, theirs if told else as_defined)


def test_a_file_of_pyagrum_is_not_read_as_another_distribution_without_a_word(caplog):
    with caplog.at_level(logging.WARNING, "pgm_tfp"):
        found = read_uai(OF_PYAGRUM, "agrum.uai")
    assert caplog.messages == [
        "agrum.uai: the order in which the parents of var_2 vary is ambiguous (2 of 4 tables); read as the format "
        "says, the last parent fastest. pyAgrum and pgmpy write other orders: export from there as BIF instead"
    ]
    # as the format says: the second row is (A, B) = (0, 1), which for pyAgrum it is not
    assert found.tables["var_2"].probabilities[0, 1, 0] == 0.341158


def test_one_parent_and_parents_whose_order_does_not_matter_are_not_worth_a_line(caplog):
    same = "BAYES 3 2 2 2 3 1 0 1 1 3 0 1 2  2 .5 .5 2 .1 .9  8 .1 .9 .3 .7 .3 .7 .2 .8"
    read_uai(same, "n.uai")
    read_uai("BAYES 2 2 2 2 1 0 2 0 1  2 .5 .5 4 .1 .9 .3 .7", "n.uai")
    assert not caplog.messages
    read_uai(same.replace(".3 .7 .3 .7", ".3 .7 .4 .6"), "n.uai")
    assert len(caplog.messages) == 1


def test_rows_that_sum_to_one_both_ways_are_unclear_with_one_parent_too(caplog):
    doubly = "BAYES 2 3 3 2 1 0 2 0 1 3 .2 .3 .5 9 .1 .2 .7 .6 .3 .1 .3 .5 .2"
    read_uai(doubly, "n.uai")
    assert "the parents of var_1 vary is ambiguous (1 of 2 tables)" in caplog.messages[0]


@st.composite
def markov(draw):
    sizes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=5))
    variables = st.lists(st.sampled_from(range(len(sizes))), unique=True, max_size=3)
    scopes = draw(st.lists(variables, max_size=5))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return sizes, scopes, [random.uniform(0.1, 2.0, [sizes[variable] for variable in scope]) for scope in scopes]


@quickly
@given(markov(), layouts())
def test_a_markov_network_has_the_product_of_its_tables(network, layout):
    sizes, scopes, tables = network
    found = read_uai(as_text("MARKOV", sizes, scopes, [table.ravel() for table in tables], layout), "n.uai")
    assert found.tables is None
    assert set().union(*(potential.variables for potential in found.potentials)) == set(found.states)
    for states in np.ndindex(*sizes):
        expected = prod(
            table[tuple(states[variable] for variable in scope)] for scope, table in zip(scopes, tables, strict=True)
        )
        at = {f"var_{variable}": state for variable, state in enumerate(states)}
        assert prod(float(potential.reduced(at).values) for potential in found.potentials) == pytest.approx(expected)


def test_a_markov_network_of_pyagrum_is_warned_of(caplog):
    read_uai("MARKOV\n2 # nbr Nodes\n2 2\n1 # nbr Factors\n2 1 0\n\n4 # {0, 1}\n .1 .2 .3 .4\n", "m.uai")
    assert "m.uai: pyAgrum seems to have written this file" in caplog.messages[0]


@quickly
@given(st.dictionaries(st.integers(0, 200), st.integers(0, 9)), layouts(), st.booleans())
def test_evidence_is_read_in_both_forms(seen, layout, with_cases):
    words = [str(len(seen)), *(str(number) for pair in seen.items() for number in pair)]
    text = layout([*(["1"] if with_cases else []), *words])
    assert read_uai_evidence(text) == {f"var_{variable}": state for variable, state in seen.items()}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("BAYES 2 2 2 1 1 0 2 .5 .5", "needs one table for each variable, with the variable last in its scope"),
        ("BAYES 1 2 1 1 1 2 .5 .5", "a table names variable 1; there are 1 variables, counted from 0"),
        ("BAYES 1 2 1 1 0 3 .5 .5 0", "table 0 has 3 entries; its variables have 2 joint states"),
        ("BAYES 1 2 1 1 0 2 .5 .5 7", "'7' is where the file should end"),
        ("BAYES 1 -2 1 1 0 2 .5 .5", "'-2' is where states should be"),
        ("BAYES 1 2 1 1 0 2 .5 half", "'half' is where entries of table 0 should be"),
        ("BAYES 1 99999999999999999999 1 1 0 2 .5 .5", "its variables have 99999999999999999999 joint states"),
        ("DIRECTED 1", "the file begins with 'DIRECTED'; it must begin with BAYES or MARKOV"),
    ],
)
def test_what_is_wrong_with_a_network_is_named(text, message):
    with pytest.raises(UserError) as error:
        read_uai(text, "n.uai")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file ends where the number of cases should be"),
        ("2 0 1", "the file ends where a variable should be"),
        ("2 0 1 0 1", "var_0 is there twice"),
        ("1 1 0 0 0", "'0' is where the file should end"),
        ("2 1 0 1 1 0 0 3", "the file holds 2 cases; write one case into a file"),
        ("1 0 yes", "'yes' is where a state should be"),
    ],
)
def test_what_is_wrong_with_evidence_is_named(text, message):
    with pytest.raises(UserError) as error:
        read_uai_evidence(text)
    assert message in str(error.value)
