import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vae_keras.metrics.pool import checked, groups, train_test_split
from vae_keras.metrics.scores import SCORES

CODES = np.arange(12.0).reshape(6, 2)
FACTORS = np.array([[0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 1]]).T

REFUSED = {
    "codes have shape": (CODES[:, 0], FACTORS),
    "too few rows": (CODES[:1], FACTORS[:1]),
    "codes hold values that are not finite": (np.where(CODES == 4, np.nan, CODES), FACTORS),
    "is needed for these codes": (CODES, FACTORS[:5]),
    "factors are not all whole numbers": (CODES, FACTORS + 0.5),
    "factor 1 has a single value": (CODES, FACTORS * [1, 0]),
}


@pytest.mark.parametrize("message", REFUSED)
@pytest.mark.parametrize("name", [name for name in SCORES if name != "gaussian_total_correlation"])
def test_every_score_refuses_bad_input_in_one_line(name, message):
    with pytest.raises(ValueError, match=message) as error:
        SCORES[name](*REFUSED[message])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int64, np.float32])
def test_whole_numbers_are_taken_in_any_numeric_type(kind):
    codes, factors = checked(CODES.astype(np.float32), FACTORS.astype(kind))
    assert codes.dtype == np.float64
    assert factors.dtype == np.int64
    np.testing.assert_array_equal(factors, FACTORS)


def test_truth_values_are_factors_and_what_is_not_finite_is_none():
    assert checked(CODES, FACTORS > 0)[1].max() == 1
    for bad in (np.nan, np.inf, "two"):
        with pytest.raises(ValueError, match="not all whole numbers"):
            checked(CODES, np.where(FACTORS == 2, bad, FACTORS.astype(type(bad))))


@pytest.mark.parametrize("name", ["beta_vae_score", "factor_vae_score", "dci", "modularity"])
def test_scores_that_compare_factors_need_two(name):
    with pytest.raises(ValueError, match="1 factor"):
        SCORES[name](CODES, FACTORS[:, :1])


@pytest.mark.parametrize("name", ["sap_score", "dci"])
def test_scores_that_compare_dimensions_need_two(name):
    with pytest.raises(ValueError, match="1 code dimension"):
        SCORES[name](CODES[:, :1], FACTORS)


def test_two_thirds_train_one_third_tests_and_rows_stay_together():
    codes = np.arange(15_000.0)[:, None]
    split = train_test_split(codes, codes.astype(int) % 7, seed=0)
    assert len(split.train_codes) == 10_000
    assert len(split.test_codes) == 5_000
    np.testing.assert_array_equal(np.sort(np.concatenate(split[:2]), axis=0), codes)
    np.testing.assert_array_equal(split.test_codes.astype(int) % 7, split.test_factors)
    assert not np.array_equal(split.test_codes, train_test_split(codes, codes.astype(int) % 7, seed=1).test_codes)


def test_a_factor_that_only_the_test_rows_vary_is_refused():
    factor = np.zeros((30, 1), int)
    rare = train_test_split(np.arange(30.0)[:, None], np.arange(30)[:, None], seed=0).test_factors[0]
    factor[rare] = 1
    with pytest.raises(ValueError, match="single value among the rows to train on"):
        train_test_split(np.arange(30.0)[:, None], factor, seed=0)


@given(st.lists(st.integers(-3, 3), min_size=2, max_size=30))
def test_groups_are_all_rows_of_values_that_occur_twice(values):
    factor = np.array(values)
    expected = [row for row, value in enumerate(values) if values.count(value) > 1]
    if not expected:
        with pytest.raises(ValueError, match="no two rows share a value"):
            groups(factor)
        return
    found = groups(factor)
    assert sorted(found.rows) == expected
    for row, start, size in zip(*found, strict=True):
        group = found.rows[start : start + size]
        assert sorted(group) == [other for other, value in enumerate(values) if value == factor[row]]
