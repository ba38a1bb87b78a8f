import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from pgm_tfp import potentials
from pgm_tfp.exact import TooLargeError
from pgm_tfp.potentials import LOG_MAX_PRODUCT, LOG_SUM_PRODUCT, SUM_PRODUCT, Potential, log_sum_exp, product, totalled
from tests.pgm_tfp.oracles_exact import quickly

SIZES = {"A": 2, "B": 3, "C": 1, "D": 2}
scopes = st.lists(st.sampled_from(list(SIZES)), unique=True)
seeds = st.integers(0, 2**32 - 1)


def random_potential(scope, seed):
    return Potential(scope, np.random.default_rng(seed).uniform(0.1, 2.0, [SIZES[name] for name in scope]))


def test_a_potential_knows_its_variables_and_their_sizes():
    potential = Potential("AB", [[1, 2, 3], [4, 5, 6]])
    assert potential.variables == ("A", "B")
    assert potential.sizes == {"A": 2, "B": 3}
    assert potential.values.dtype == np.float64
    assert potential.axes({"B", "Z"}) == (1,)


def test_a_potential_that_does_not_fit_its_variables_is_an_error():
    with pytest.raises(UserError, match=r"\(A, A\) names a variable twice"):
        Potential(["A", "A"], np.ones((2, 2)))
    with pytest.raises(UserError, match=r"\(A, B\) needs an array of 2 axes, not of 1"):
        Potential(["A", "B"], np.ones(2))


@quickly
@given(scopes, seeds, st.permutations(list(SIZES)))
def test_aligned_values_broadcast_in_the_order_asked_for(scope, seed, order):
    potential = random_potential(scope, seed)
    aligned = potential.aligned(order)
    assert aligned.shape == tuple(SIZES[name] if name in scope else 1 for name in order)
    for index in np.ndindex(*(SIZES[name] for name in order)):
        at = dict(zip(order, index, strict=True))
        there = tuple(at[name] if name in scope else 0 for name in order)
        assert aligned[there] == potential.values[tuple(at[name] for name in scope)]


def test_over_moves_the_axes_and_nothing_else():
    potential = random_potential(["A", "B", "D"], 0)
    moved = potential.over(["D", "A", "B"])
    assert moved.variables == ("D", "A", "B")
    np.testing.assert_array_equal(moved.values, np.moveaxis(potential.values, 2, 0))


def test_reducing_takes_the_slice_and_drops_the_variable():
    potential = random_potential(["A", "B", "D"], 1)
    reduced = potential.reduced({"B": 2, "Z": 0})
    assert reduced.variables == ("A", "D")
    np.testing.assert_array_equal(reduced.values, potential.values[:, 2, :])
    assert potential.reduced({"A": 1, "B": 0, "D": 1}).values == potential.values[1, 0, 1]


def test_normalized_weights_sum_to_one_in_the_same_proportion():
    np.testing.assert_allclose(Potential("A", [1.0, 3.0]).normalized().values, [0.25, 0.75])


@quickly
@given(st.lists(st.tuples(scopes, seeds), min_size=1, max_size=4))
def test_a_product_multiplies_entry_by_entry(drawn):
    factors = [random_potential(scope, seed) for scope, seed in drawn]
    together = product(factors)
    assert set(together.variables) == {name for scope, _ in drawn for name in scope}
    for index in np.ndindex(together.values.shape):
        at = dict(zip(together.variables, index, strict=True))
        expected = 1.0
        for factor in factors:
            expected *= factor.values[tuple(at[name] for name in factor.variables)]
        assert together.values[index] == pytest.approx(expected, rel=1e-12)


def test_the_smallest_potentials_are_multiplied_first():
    seen = []
    watching = SUM_PRODUCT._replace(multiply=lambda a, b: (seen.append(max(a.size, b.size)), a * b)[1])
    product([random_potential(scope, 0) for scope in ("ABD", "A", "D", "AD")], watching)
    assert seen == [2, 4, 12]


def test_a_table_over_more_variables_than_numpy_has_axes_is_refused():
    ones = [Potential([f"x{place}"], [1.0]) for place in range(potentials.MOST_VARIABLES + 1)]
    assert product(ones[:-1]).values.size == 1
    with pytest.raises(TooLargeError, match="over 61 variables has more axes than 60"):
        product(ones)


@quickly
@given(scopes, st.sets(st.sampled_from(list(SIZES))), seeds)
def test_totals_sum_or_maximise_over_the_named_variables(scope, gone, seed):
    potential = random_potential(scope, seed)
    axes = tuple(axis for axis, name in enumerate(scope) if name in gone)
    logs = Potential(scope, np.log(potential.values))
    summed = totalled(potential, gone)
    assert summed.variables == tuple(name for name in scope if name not in gone)
    np.testing.assert_allclose(summed.values, np.sum(potential.values, axes))
    np.testing.assert_allclose(totalled(logs, gone, LOG_SUM_PRODUCT).values, np.log(np.sum(potential.values, axes)))
    np.testing.assert_array_equal(totalled(logs, gone, LOG_MAX_PRODUCT).values, np.max(logs.values, axes))


def test_log_sum_exp_neither_overflows_nor_underflows_nor_trips_over_zeros():
    values = np.array([[1000.0, 1000.0], [-1000.0, -1000.0], [-np.inf, -np.inf], [-np.inf, 0.0]])
    before = values.copy()
    expected = [1000 + np.log(2), -1000 + np.log(2), -np.inf, 0.0]
    with np.errstate(all="raise", under="ignore"):
        np.testing.assert_allclose(log_sum_exp(values, (1,)), expected)
    np.testing.assert_array_equal(log_sum_exp(values, ()), values)
    np.testing.assert_array_equal(values, before)
