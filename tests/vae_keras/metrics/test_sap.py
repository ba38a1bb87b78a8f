import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from tests.support import examples
from tests.vae_keras.metrics.pools import noisy_codes, shuffled_rows, ten_factors, uniform_factors
from vae_keras.metrics.sap import sap_score


def test_codes_equal_to_the_factors_have_one_in_the_continuous_form_and_a_fifth_in_the_discrete():
    assert sap_score(*ten_factors(3_000), continuous_factors=True) > 0.98
    assert sap_score(*ten_factors(3_000)) == pytest.approx(0.2, abs=0.03)


def test_factors_of_two_levels_reach_one_less_chance():
    factors = uniform_factors(3_000, 4, 2)
    # The second dimension guesses: half of it is right.
    assert sap_score(factors.astype(float), factors) == pytest.approx(0.5, abs=0.04)


@pytest.mark.parametrize("continuous", [False, True])
def test_constant_and_shuffled_and_doubled_codes_have_none(continuous):
    codes, factors = ten_factors(1_500)
    assert sap_score(np.zeros_like(codes), factors, continuous) == 0
    assert sap_score(shuffled_rows(codes), factors, continuous) < 0.03
    assert sap_score(np.hstack([codes, codes]), factors, continuous) == pytest.approx(0, abs=1e-9)


def test_the_continuous_form_agrees_with_pearson():
    factors = uniform_factors(200, 3, 6)
    codes = noisy_codes(factors) @ np.random.default_rng(0).normal(size=(3, 4))
    squared = [[scipy.stats.pearsonr(code, factor).statistic ** 2 for code in codes.T] for factor in factors.T]
    expected = np.mean([sorted(row)[-1] - sorted(row)[-2] for row in squared])
    assert sap_score(codes, factors, continuous_factors=True) == pytest.approx(expected)


def test_a_dimension_whose_variance_is_rounding_tells_nothing():
    factors = uniform_factors(500, 2, 5)
    codes = np.hstack([factors, 1e-7 * factors])
    # Doubled but for the scale: the copies count as constant.
    assert sap_score(codes, factors, continuous_factors=True) > 0.9
    assert sap_score(np.hstack([factors, 1e-5 * factors]), factors, continuous_factors=True) < 0.1


def test_classes_count_alike_whatever_their_frequency():
    random = np.random.default_rng(0)
    rare = (random.random(6_000) < 0.1).astype(int)
    codes = np.stack([rare + random.normal(size=6_000), random.normal(size=6_000)], axis=1)
    # Balanced, the cut lies half-way, where 0.69 of either class is right; a dimension of noise is right on half.
    # Unbalanced, both would call all rows frequent, 0.9 right, and the score be 0.
    assert sap_score(codes, rare[:, None]) == pytest.approx(0.69 - 0.5, abs=0.08)


def test_accuracy_is_that_of_rows_not_trained_on():
    factors = uniform_factors(90, 1, 2)
    codes = np.random.default_rng(0).normal(size=(90, 2))
    scores = np.array([sap_score(codes, factors, seed=seed) for seed in range(5)])
    # Thirty test rows: accuracies are multiples of 1/30.
    np.testing.assert_allclose(scores * 30, np.round(scores * 30), atol=1e-9)
    assert len(set(scores)) > 1
    assert sap_score(codes, factors, seed=3) == scores[3]


@given(st.integers(0, 1_000))
@examples(10)
def test_order_sign_and_names_of_levels_do_not_matter(seed):
    random = np.random.default_rng(seed)
    factors = uniform_factors(120, 2, 3, seed)
    codes = noisy_codes(factors, seed=seed)
    flipped = codes[:, random.permutation(2)] * random.choice([-1, 1], 2)
    for continuous in (False, True):
        before = sap_score(codes, factors, continuous)
        assert 0 <= before <= 1
        assert sap_score(flipped, factors, continuous) == pytest.approx(before, abs=1e-9)
    scaled = codes * random.uniform(0.5, 3, 2) + random.normal(size=2)
    assert sap_score(scaled, factors, True) == pytest.approx(sap_score(codes, factors, True))
    assert sap_score(codes, np.array([70, 4, -9])[factors - 1]) == pytest.approx(sap_score(codes, factors), abs=1e-9)
