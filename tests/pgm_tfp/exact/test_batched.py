import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from pgm_tfp import BayesianNetwork, MarkovNetwork, Potential, Table, catalogue, exact
from pgm_tfp.exact import batched, junction_tree, message_passing, rows
from tests.pgm_tfp.oracles_exact import (
    bayesian_networks,
    enumerated,
    forward,
    long_chain,
    markov_networks,
    questions,
    quickly,
)

WIDE = markov_networks(spread=400.0)


@quickly
@given(
    st.one_of(questions(), questions(WIDE)),
    st.sampled_from([0, batched.SLICED_FROM]),
    st.sampled_from([1, 8, junction_tree.ALL_KEPT]),
)
def test_all_marginals_agree_with_enumeration(question, sliced_from, kept):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batched, "SLICED_FROM", sliced_from)  # every tree is sliced at its findings, or none of these
        patch.setattr(junction_tree, "ALL_KEPT", kept)  # a larger tree keeps factors, but for tables up to KEPT
        patch.setattr(junction_tree, "KEPT", kept)
        check_marginals(*question)


def check_marginals(network, evidence):
    truth = enumerated(network, evidence)
    if truth.log_evidence() == -math.inf:
        with pytest.raises(UserError, match="impossible evidence"):
            exact.marginals(network, evidence)
        return
    ours = exact.marginals(network, evidence)
    assert list(ours) == list(network.graph)
    for variable in network.states:
        assert ours[variable] == pytest.approx(truth.marginal(variable), abs=1e-10)


@st.composite
def tables(draw):
    """A network and a table of what was seen in some draws of it: entries missing, rows repeated."""
    network = draw(st.one_of(bayesian_networks(), markov_networks(), WIDE))
    truth = enumerated(network)
    possible = [states for states, weight in truth.logs.items() if weight > -math.inf]
    rows = draw(st.lists(st.sampled_from(possible), min_size=1, max_size=5))
    rows += draw(st.lists(st.sampled_from(rows), max_size=3))
    seen = draw(st.lists(st.sampled_from(truth.variables), min_size=1, unique=True))
    missing = st.sampled_from([None, math.nan])
    columns = {
        name: [draw(missing) if draw(st.integers(0, 3)) == 0 else row[truth.variables.index(name)] for row in rows]
        for name in seen
    }
    return network, columns, len(rows)


@quickly
@given(tables(), st.sampled_from([1, 40, 2**18]))
def test_every_row_agrees_with_enumeration(drawn, at_once):
    network, table, count = drawn
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "CELLS_AT_ONCE", at_once)  # rows in one go, or a few at a time
        ours = exact.posteriors(network, table)
    assert ours.log_evidence.shape == (count,)
    assert set(ours.probabilities) == set(network.states)
    for row in range(count):
        evidence = {name: column[row] for name, column in table.items() if column[row] in network.states[name]}
        truth = enumerated(network, evidence)
        assert ours.log_evidence[row] == pytest.approx(truth.log_evidence(), abs=1e-9)
        for variable, states in network.states.items():
            assert ours.probabilities[variable].shape == (count, len(states))
            np.testing.assert_allclose(
                ours.probabilities[variable][row], list(truth.marginal(variable).values()), atol=1e-10
            )


@pytest.mark.parametrize(
    "column",
    [
        [True, False, None],
        [True, False, math.nan],
        [1, 0, None],
        (True, False, None),
        np.array([1.0, 0.0, np.nan]),
        np.array([True, False, None], object),
    ],
)
def test_columns_of_truth_values_may_be_lists_or_arrays(column):
    network = catalogue.burglary()
    ours = exact.posteriors(network, {"J": column, "M": np.array([True, True, True])})
    for row, john in enumerate([{"J": True}, {"J": False}, {}]):
        expected = exact.marginal(network, "B", {**john, "M": True})
        np.testing.assert_allclose(ours.probabilities["B"][row], list(expected.values()), rtol=1e-12)


def test_columns_of_words_and_of_numbers():
    network = catalogue.student()
    words, numbers = np.array(["high", "low", "high"]), np.array([3, 1, 2])
    ours = exact.posteriors(network, {"I": words, "G": numbers})
    for row in range(3):
        evidence = {"I": str(words[row]), "G": int(numbers[row])}
        assert ours.log_evidence[row] == pytest.approx(exact.log_evidence(network, evidence), abs=1e-12)
        np.testing.assert_allclose(ours.probabilities["G"][row], np.eye(3)[numbers[row] - 1])
        expected = list(exact.marginal(network, "D", evidence).values())
        np.testing.assert_allclose(ours.probabilities["D"][row], expected, rtol=1e-12)


def test_equal_rows_are_computed_once(monkeypatch):
    computed = []
    original = message_passing.marginals

    def counted(potentials, likelihoods, rows=1):
        computed.append(rows)
        return original(potentials, likelihoods, rows)

    monkeypatch.setattr(message_passing, "marginals", counted)
    column = [True, False, None] * 100
    ours = exact.posteriors(catalogue.burglary(), {"J": column, "M": column})
    assert sum(computed) == 3
    assert len(ours.log_evidence) == 300
    np.testing.assert_array_equal(ours.log_evidence[:3], ours.log_evidence[-3:])


def test_rows_of_more_columns_than_a_machine_word_counts_are_told_apart():
    random = np.random.default_rng(0)
    readings = {f"x{place}": Table.of_true(random.uniform(0.3, 0.7, 2), ["c"]) for place in range(70)}
    network = BayesianNetwork({"c": Table.of_true(0.4), **readings})
    rows = np.repeat(random.random((70, 1)) < 0.5, 4, axis=1)
    rows[69, 1] = not rows[69, 1]
    rows[0, 2] = not rows[0, 2]
    ours = exact.posteriors(network, dict(zip(readings, rows, strict=True)))
    for row in range(4):
        assert ours.log_evidence[row] == pytest.approx(
            exact.log_evidence(network, {name: bool(column[row]) for name, column in zip(readings, rows, strict=True)})
        )
    assert ours.log_evidence[3] == ours.log_evidence[0] != ours.log_evidence[1]


def test_no_rows_are_no_answers():
    ours = exact.posteriors(catalogue.student(), {"G": [], "I": []})
    assert ours.log_evidence.shape == (0,)
    assert ours.probabilities["G"].shape == (0, 3)


def test_long_rows_have_finite_logarithms_and_the_posteriors_of_the_chain():
    network, evidence = long_chain()
    ours = exact.posteriors(network, {name: [state, None] for name, state in evidence.items()})
    ahead, behind = forward(network, evidence), forward(network, evidence, backwards=True)
    total = np.logaddexp.reduce(ahead[-1])
    np.testing.assert_allclose(ours.log_evidence, [total, 0.0], rtol=1e-12, atol=1e-9)
    posterior = np.exp(ahead[701] + behind[701] - total)
    np.testing.assert_allclose(ours.probabilities["x701"][0], posterior, atol=1e-10)
    np.testing.assert_allclose(list(exact.marginals(network, evidence)["x701"].values()), posterior, atol=1e-10)


@pytest.mark.parametrize("rare", [1e-200, 1e-160])
def test_one_clique_whose_product_underflows_is_reckoned_in_logarithms(rare):
    network = BayesianNetwork(
        {
            "A": Table.of_true(0.3),
            "B": Table.of_true([rare, 2 * rare], ["A"]),
            "C": Table.of_true([rare, 3 * rare], ["A"]),
        }
    )
    assert exact.marginals(network, {"B": True, "C": True})["A"] == pytest.approx({False: 0.28, True: 0.72})
    ours = exact.posteriors(network, {"B": [True, None, True], "C": [True, None, None]})
    np.testing.assert_allclose(ours.probabilities["A"][:, 1], [0.72, 0.3, 0.6 / 1.3], rtol=1e-12)
    expected = [math.log(2.5) + 2 * math.log(rare), 0.0, math.log(1.3) + math.log(rare)]
    np.testing.assert_allclose(ours.log_evidence, expected, rtol=1e-14, atol=1e-12)


@pytest.mark.parametrize("at_once", [1, 2**18])
def test_an_impossible_row_is_an_error_with_its_number_and_its_reason(at_once, monkeypatch):
    monkeypatch.setattr(rows, "CELLS_AT_ONCE", at_once)
    # two kinds of rows are possible, the third, met fourth, is not
    table = {"S": [False, None, False, False, None], "R": [True, None, True, False, None], "W": [True] * 5}
    with pytest.raises(exact.ImpossibleRowError) as caught:
        exact.posteriors(catalogue.sprinkler(), table)
    assert caught.value.row == 3
    assert caught.value.reason.startswith("impossible evidence: S=False, R=False, W=True together")
    assert str(caught.value) == f"row 3: {caught.value.reason}"
    assert isinstance(caught.value, UserError)


def test_wrong_tables_are_errors_that_name_the_place():
    network = catalogue.student()
    with pytest.raises(UserError, match="unknown variable Q; known: D, I, G, S, L"):
        exact.posteriors(network, {"Q": [True]})
    with pytest.raises(UserError, match=r"row 2: I has no state hihg; did you mean high?"):
        exact.posteriors(network, {"I": ["low", None, "hihg"]})
    with pytest.raises(UserError, match="row 0: G has no state 4; known: 1, 2, 3"):
        exact.posteriors(network, {"G": np.array([4, 1])})
    with pytest.raises(UserError, match=r"equally long, one at least; given \{'I': 1, 'G': 2\}"):
        exact.posteriors(network, {"I": ["low"], "G": [1, 2]})
    with pytest.raises(UserError, match=r"equally long, one at least; given \{\}"):
        exact.posteriors(network, {})


def test_potentials_that_exclude_every_state_are_blamed_themselves():
    nothing = MarkovNetwork([Potential("A", [0.0, 1.0]), Potential("A", [1.0, 0.0])])
    with pytest.raises(UserError, match="the potentials exclude every joint state"):
        exact.posteriors(nothing, {"A": [True]})
