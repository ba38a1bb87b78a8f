import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.support import examples
from tests.vae_keras.metrics.pools import (
    mixed_within_rows,
    noisy_codes,
    shuffled_rows,
    ten_factors,
    uniform_factors,
)
from vae_keras.metrics.modularity_score import modularity, modularity_from_information


def test_a_code_for_each_factor_and_a_dead_one():
    assert modularity_from_information(np.array([[1, 0], [0, 1], [0, 0]])) == pytest.approx(2 / 3)


def test_no_information_is_no_modularity():
    assert modularity_from_information(np.zeros((10, 10))) == 0


def test_codes_doubled_or_missing_lose_nothing_and_factors_doubled_do():
    perfect = np.diag(np.full(5, 5.0))
    assert modularity_from_information(np.vstack([perfect, perfect])) == pytest.approx(1)
    assert modularity_from_information(perfect[:2]) == pytest.approx(1)
    assert modularity_from_information(np.hstack([perfect, perfect])) == pytest.approx(1 - 1 / 9)


def test_a_row_by_hand():
    # 1 - (0.5^2 + 0.1^2) / (1 (3 - 1)), and a row that tells all alike has none
    assert modularity_from_information([[0.5, 1, 0.1], [0.3, 0.3, 0.3]]) == pytest.approx((1 - 0.26 / 2) / 2)


@pytest.mark.parametrize("matrix", [np.ones(3), np.ones((3, 1)), [[1, -1]], [[1, np.nan]], np.ones((0, 3))])
def test_anything_but_a_matrix_of_information_is_refused(matrix):
    with pytest.raises(ValueError, match="information"):
        modularity_from_information(matrix)


@given(arrays(float, (3, 4), elements=st.floats(0, 3)), st.floats(1e-3, 1e3))
def test_it_lies_in_range_and_does_not_depend_on_unit_or_order(matrix, unit):
    before = modularity_from_information(matrix)
    assert -1e-12 <= before <= 1 + 1e-12
    matrix = np.round(matrix, 6)
    before = modularity_from_information(matrix)
    assert modularity_from_information(unit * matrix[::-1, ::-1]) == pytest.approx(before, abs=1e-9)


def test_tiny_information_counts_like_any_other():
    assert modularity_from_information([[1e-200, 1e-200]]) == pytest.approx(0)


def test_codes_equal_to_the_factors_once_or_twice_have_nearly_one():
    codes, factors = ten_factors(3_000)
    assert modularity(codes, factors) > 0.99
    assert modularity(np.hstack([codes, codes]), factors) > 0.99
    assert modularity(np.hstack([codes, np.zeros_like(codes)]), factors) == pytest.approx(0.5, abs=0.01)


def test_codes_mixed_up_within_rows_come_to_little_on_many_rows():
    scores = []
    for rows in (2_000, 20_000):
        codes, factors = ten_factors(rows)
        scores.append(modularity(mixed_within_rows(codes), factors))
    assert 0.3 < scores[0] < 0.4
    assert scores[1] < 0.2


def test_codes_that_say_nothing_keep_the_modularity_of_noise():
    for rows in (2_000, 20_000):
        codes, factors = ten_factors(rows)
        assert modularity(shuffled_rows(codes), factors) == pytest.approx(0.36, abs=0.1)


def test_bins_are_those_asked_for():
    factors = np.array([[0, 0, 1, 1], [0, 1, 0, 1]]).T.repeat(5, axis=0)
    codes = (2.0 * factors[:, :1] + factors[:, 1:]) @ np.ones((1, 2))
    assert modularity(codes, factors) == pytest.approx(0)
    # Two bins see the first factor alone.
    assert modularity(codes, factors, bins=2) == pytest.approx(1)


@given(st.integers(0, 1_000))
@examples(20)
def test_order_sign_scale_and_names_of_levels_do_not_matter(seed):
    random = np.random.default_rng(seed)
    factors = uniform_factors(150, 3, 4, seed)
    codes = noisy_codes(factors, seed=seed)
    before = modularity(codes, factors)
    changed = codes[:, random.permutation(3)] * random.choice([-1, 1], 3) * random.uniform(0.5, 3, 3) + random.normal()
    assert modularity(changed, factors) == pytest.approx(before, abs=1e-9)
    assert modularity(codes, random.permutation([-7, 0, 3, 100])[factors - 1]) == pytest.approx(before, abs=1e-9)
