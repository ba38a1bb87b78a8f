import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vae_keras.metrics.pools import uniform_factors
from vae_keras.metrics.discrete import binned, entropy, mutual_information, mutual_information_matrix

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(-2, 2)), min_size=2, max_size=40)


def information_by_counting(first, second):
    """sum p(a, b) log p(a, b) / p(a) p(b), over the pairs that occur."""
    n, joint, a, b = len(first), Counter(zip(first, second, strict=True)), Counter(first), Counter(second)
    return sum(c / n * math.log(c * n / (a[x] * b[y])) for (x, y), c in joint.items())


def test_six_numbers_in_three_bins():
    bins = binned(np.array([[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]]).T, 3)
    np.testing.assert_array_equal(bins[:, 0], [1, 1, 2, 2, 3, 3])
    assert entropy(bins[:, 0]) == pytest.approx(math.log(3))


def test_two_codes_that_each_tell_one_of_two_factors():
    codes, factors = np.array([[1, 2, 1, 2], [1, 1, 2, 2]]).T, np.array([[1, 2, 1, 2], [2, 2, 1, 1]]).T
    information = mutual_information_matrix(codes, factors)
    np.testing.assert_allclose(information, np.diag([math.log(2)] * 2), atol=1e-12)


def test_rows_of_the_matrix_are_codes_and_columns_factors():
    codes, factors = uniform_factors(50, 2, 3), uniform_factors(50, 4, 3, seed=1)
    information = mutual_information_matrix(codes, factors)
    assert information.shape == (2, 4)
    assert information[1, 3] == pytest.approx(information_by_counting(codes[:, 1], factors[:, 3]))


@given(PAIRS)
def test_information_and_entropy_agree_with_counting(pairs):
    first, second = np.array(pairs).T
    assert mutual_information(first, second) == pytest.approx(information_by_counting(*zip(*pairs, strict=True)))
    assert mutual_information(first, second) == pytest.approx(mutual_information(second, first))
    assert entropy(first) == pytest.approx(mutual_information(first, first), abs=1e-12)
    # I(a; b) = H(a) + H(b) - H(a, b)
    joint = entropy(first) + entropy(second) - mutual_information(first, second)
    assert entropy(100 * first + second) == pytest.approx(joint, abs=1e-12)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30), st.integers(1, 25))
def test_bins_are_as_many_as_asked_for_and_keep_the_order(values, bins):
    column = binned(np.array(values)[:, None], bins)[:, 0]
    assert column.min() >= 1
    assert column.max() <= bins
    assert (np.diff(column[np.argsort(values)]) >= 0).all()
    if np.ptp(values) > 1e-9:
        assert column[np.argmin(values)] == 1
        assert column[np.argmax(values)] == bins


def test_bins_agree_with_a_histogram():
    codes = np.random.default_rng(0).normal(size=(500, 3))
    for code, column in zip(codes.T, binned(codes, 20).T, strict=True):
        np.testing.assert_array_equal(np.bincount(column, minlength=21)[1:], np.histogram(code, 20)[0])


def test_each_dimension_has_edges_of_its_own():
    codes = np.random.default_rng(0).random((100, 1))
    both = binned(np.hstack([codes, 1000 * codes + 5]), 7)
    np.testing.assert_array_equal(both[:, 0], both[:, 1])


def test_a_constant_dimension_falls_into_one_bin_and_tells_nothing():
    constant = binned(np.full((9, 1), 0.1), 20)
    assert len(np.unique(constant)) == 1
    assert mutual_information(constant[:, 0], np.arange(9)) == 0


def test_one_outlier_flattens_the_rest():
    codes = np.append(np.random.default_rng(0).random(100), 1000.0)[:, None]
    assert len(np.unique(binned(codes, 20))) == 2


def test_no_bins_are_refused():
    with pytest.raises(ValueError, match="0 bins"):
        binned(np.zeros((3, 1)), 0)


def test_counts_overestimate_the_information_of_independent_variables():
    bins, values, rows = 20, 5, 4_000
    first, second = uniform_factors(rows, 20, bins), uniform_factors(rows, 20, values, seed=1)
    # 400 estimates; twice n I is chi-squared with 76 degrees of freedom, so their mean errs by under one percent.
    expected = (bins - 1) * (values - 1) / (2 * rows)
    assert mutual_information_matrix(first, second).mean() == pytest.approx(expected, rel=0.04)
