import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from pgm_tfp import BayesianNetwork, Conditional, Table
from tests.pgm_tfp.oracles_exact import quickly

PARENTS = {"P": ("low", "high"), "Q": (1, 2, 3)}


def test_a_table_keeps_what_it_was_given():
    table = Table([[0.25, 0.75], [1, 0]], ["P"], ["a", "b"])
    assert table.parents == ("P",)
    assert table.states == ("a", "b")
    assert table.probabilities.dtype == np.float64
    np.testing.assert_array_equal(table.probabilities, [[0.25, 0.75], [1.0, 0.0]])
    table.checked("X", PARENTS)


def test_a_table_of_true_puts_false_first():
    table = Table.of_true([[0.1, 0.2, 0.3], [0.4, 0.5, 1.0]], ["P", "Q"])
    assert table.states == (False, True)
    assert table.probabilities.shape == (2, 3, 2)
    np.testing.assert_allclose(table.probabilities[1, 2], [0.0, 1.0])
    np.testing.assert_allclose(table.probabilities[0, 1], [0.8, 0.2])
    table.checked("X", PARENTS)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            Table([0.5, 0.5], ["P"]),
            r"^P\(X \| P\): expected a table of shape \(2, 2\), the numbers of states of P, X; given \(2,\)$",
        ),
        (Table(np.full((3, 2, 2), 0.5), ["P", "Q"]), r"^P\(X \| P, Q\): expected .* \(2, 3, 2\).* given \(3, 2, 2\)$"),
        (Table([0.5, 0.5], states=("a", "b", "c")), r"^P\(X\): expected .* \(3,\).* given \(2,\)$"),
        (Table([0.5, 0.6]), r"^P\(X\): expected probabilities that sum to 1, given \[0.5, 0.6\] \(sum 1.1\)$"),
        (Table([[0.5, 0.5], [0.3, 0.3]], ["P"]), r"^P\(X \| P=high\): .*sum to 1, given \[0.3, 0.3\] \(sum 0.6\)$"),
        (Table.of_true([[0.5] * 3, [0.5, 0.5, 1.5]], ["P", "Q"]), r"^P\(X \| P=high, Q=3\): .* given \[-0.5, 1.5\]$"),
        (Table([np.nan, 1.0]), r"^P\(X\): expected probabilities, given \[nan, 1.0\]$"),
        (Table([np.inf, 0.0]), r"^P\(X\): expected probabilities that sum to 1, given \[inf, 0.0\]"),
        (Table([0.5, 0.5], states=("a", "a")), r"^X: states \('a', 'a'\) must be one or more, all different$"),
        (Table([0.5, 0.5], states=(0, False)), r"^X: states \(0, False\) must be one or more, all different$"),
        (Table([], states=()), r"^X: states \(\) must be one or more, all different$"),
    ],
)
def test_a_wrong_table_is_an_error_that_names_the_row_and_the_numbers(table, message):
    with pytest.raises(UserError, match=message):
        table.checked("X", PARENTS)


def test_rows_may_be_off_by_the_rounding_of_six_digits():
    Table([0.3333334, 0.3333333, 0.3333333], states=(1, 2, 3)).checked("X", {})
    with pytest.raises(UserError, match="sum to 1"):
        Table([0.33334, 0.33333, 0.33333 + 1e-5], states=(1, 2, 3)).checked("X", {})


def test_a_table_draws_states_with_their_probabilities():
    table = Table([[0.2, 0.3, 0.5], [0.0, 1.0, 0.0], [0.6, 0.4, 0.0]], ["Q"], "abc")
    n = 30_000
    parents = np.arange(n) % 3
    drawn = table.sample([parents], n, np.random.default_rng(0))
    for row, probabilities in enumerate(table.probabilities):
        counts = np.bincount(drawn[parents == row], minlength=3)
        assert (counts[probabilities == 0.0] == 0).all()
        possible = probabilities > 0.0
        # chi-squared: beyond the 1e-6 quantile once in a million tables
        if possible.sum() > 1:
            assert scipy.stats.chisquare(counts[possible], probabilities[possible] * n / 3).pvalue > 1e-6


def test_without_parents_every_draw_comes_from_the_one_row():
    table = Table([0.2, 0.3, 0.5], states="abc")
    drawn = table.sample([], 10_000, np.random.default_rng(1))
    assert drawn.shape == (10_000,)
    assert scipy.stats.chisquare(np.bincount(drawn), table.probabilities * 10_000).pvalue > 1e-6


def test_any_distribution_draws_one_number_for_each_row_of_the_parents():
    from tensorflow_probability import distributions as tfd

    shifted = Conditional(lambda mean: tfd.Normal(10.0 * mean, np.float64(1.0)), ["M"])
    means = np.array([0.0, 5.0, -5.0, 1.0])
    drawn = shifted.sample([means], 4, np.random.default_rng(0))
    assert drawn.shape == (4,)
    assert np.abs(drawn - 10.0 * means).max() < 6  # standard deviations


def test_a_distribution_that_ignores_its_parents_still_draws_one_number_for_each_row():
    from tensorflow_probability import distributions as tfd

    alone = Conditional(lambda *parents: tfd.Normal(np.float64(0.0), np.float64(1.0)), ["M"])
    drawn = alone.sample([np.zeros(500)], 500, np.random.default_rng(0))
    assert drawn.shape == (500,)
    assert len(np.unique(drawn)) == 500
    assert scipy.stats.kstest(drawn, "norm").pvalue > 1e-6


def test_parents_come_as_tensors_the_indices_of_states_all_of_one_kind():
    import tensorflow as tf
    from tensorflow_probability import distributions as tfd

    received = []

    def sum_of(*parents):
        received.extend(parents)
        return tfd.Deterministic(tf.cast(parents[0] + parents[1], tf.float64) + parents[2])

    columns = [np.array([0, 1]), np.array([1, 1], np.int32), np.array([0.5, 0.25])]
    drawn = Conditional(sum_of, ["A", "B", "C"]).sample(columns, 2, np.random.default_rng(0))
    np.testing.assert_array_equal(drawn, [1.5, 2.25])
    assert [parent.dtype for parent in received] == [tf.int32, tf.int32, tf.float64]


@quickly
@given(st.lists(st.integers(1, 3), max_size=3), st.integers(1, 4), st.data())
def test_the_first_wrong_row_in_a_table_of_any_shape_is_named(parents, states, data):
    rows = np.full((*parents, states), 1.0 / states)
    names = [f"p{place}" for place in range(len(parents))]
    known = {name: [f"s{state}" for state in range(size)] for name, size in zip(names, parents, strict=True)}
    table = Table(rows, names, range(states))
    table.checked("X", known)
    index = tuple(data.draw(st.integers(0, size - 1)) for size in parents)
    column = data.draw(st.integers(0, states - 1))
    table.probabilities[(*index, column)] = data.draw(st.sampled_from([np.nan, -0.5, 1.5, np.inf, -np.inf]))
    given_states = ", ".join(f"{name}={known[name][at]}" for name, at in zip(names, index, strict=True))
    with pytest.raises(UserError) as error:
        table.checked("X", known)
    assert str(error.value).startswith(f"P(X | {given_states}): expected" if names else "P(X): expected")
    assert str(table.probabilities[index].tolist()) in str(error.value)


def test_a_table_of_many_parents_is_checked_without_going_through_its_rows(monkeypatch):
    monkeypatch.setattr(np, "ndindex", None)
    names = [f"p{place}" for place in range(20)]
    probabilities = np.full((2,) * 20, 0.3)
    roots = {name: Table.of_true(0.5) for name in names}
    network = BayesianNetwork({**roots, "X": Table.of_true(probabilities, names)})
    assert network.do({"p3": True}).table("p3").probabilities.tolist() == [0.0, 1.0]
    assert network.do({"X": False}).table("X").probabilities.tolist() == [1.0, 0.0]
    probabilities[(0,) * 19 + (1,)] = 1.25
    with pytest.raises(UserError, match=r"p18=False, p19=True\): expected probabilities, given \[-0.25, 1.25\]$"):
        BayesianNetwork({**roots, "X": Table.of_true(probabilities, names)})
