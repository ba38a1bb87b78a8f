import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import examples
from tests.vae_keras.metrics.pools import noisy_codes, shuffled_rows, ten_factors, uniform_factors
from vae_keras.metrics.mig import mutual_information_gap
from vae_keras.metrics.modularity_score import modularity

SEEDS = st.integers(0, 1_000)


def gap_by_hand(codes, factors, bins):
    """The same by joint histograms and sums over cells."""
    gaps = []
    for factor in factors.T:
        levels = np.searchsorted(np.unique(factor), factor)
        information = []
        for code in codes.T:
            joint = np.histogram2d(code, levels, bins=(bins, levels.max() + 1))[0] / len(code)
            independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
            seen = joint > 0
            information.append(np.sum(joint[seen] * np.log(joint[seen] / independent[seen])))
        share = np.bincount(levels) / len(levels)
        best = np.sort(information)
        gaps.append((best[-1] - best[-2]) / -np.sum(share * np.log(share)))
    return np.mean(gaps)


@pytest.mark.parametrize("bins", [3, 20])
@pytest.mark.parametrize("seed", range(3))
def test_it_agrees_with_histograms(seed, bins):
    factors = uniform_factors(400, 3, 4, seed)
    codes = noisy_codes(factors, seed=seed) @ np.random.default_rng(seed).normal(size=(3, 5))
    assert mutual_information_gap(codes, factors, bins) == pytest.approx(gap_by_hand(codes, factors, bins))


def test_codes_equal_to_the_factors_have_nearly_one():
    assert 0.98 < mutual_information_gap(*ten_factors(3_000)) <= 1


def test_codes_that_say_nothing_have_none():
    codes, factors = ten_factors(3_000)
    assert mutual_information_gap(np.zeros_like(codes), factors) == 0
    assert mutual_information_gap(shuffled_rows(codes), factors) < 0.01


def test_codes_given_twice_have_none():
    codes, factors = ten_factors(3_000)
    assert mutual_information_gap(np.hstack([codes, codes]), factors) == pytest.approx(0, abs=1e-12)


def test_twenty_bins_cap_a_perfect_code_of_thirty_two_values():
    factor = np.repeat(np.arange(32), 10)[:, None]
    # Twelve bins hold two values and eight hold one: 4.25 of 5 bits.
    assert mutual_information_gap(factor.astype(float), factor) == pytest.approx(0.85)
    assert mutual_information_gap(factor.astype(float), factor, bins=32) == pytest.approx(1)


def test_a_dimension_that_holds_two_factors_has_a_gap_of_one_and_no_modularity():
    factors = np.array([[0, 0, 1, 1], [0, 1, 0, 1]]).T.repeat(5, axis=0)
    codes = np.stack([2.0 * factors[:, 0] + factors[:, 1], np.zeros(20)], axis=1)
    assert mutual_information_gap(codes, factors) == pytest.approx(1)
    assert modularity(codes, factors) == pytest.approx(0)


def test_the_mean_is_over_factors_each_by_its_own_entropy():
    factors = np.array([[0, 0, 0, 1, 1, 1], [0, 1, 2, 0, 1, 2]]).T.repeat(5, axis=0)
    codes = np.stack([factors[:, 1], np.zeros(30)], axis=1)
    assert mutual_information_gap(codes, factors) == pytest.approx(0.5)


def test_one_outlier_flattens_it():
    factors = uniform_factors(2_000, 2, 5)
    codes = noisy_codes(factors, 0.01)
    assert mutual_information_gap(codes, factors) > 0.95
    codes[0] = 1_000
    assert mutual_information_gap(codes, factors) < 0.05


def test_the_second_of_a_single_dimension_tells_nothing():
    factor = np.tile(np.arange(4), 10)[:, None]
    codes = factor.astype(float)
    assert mutual_information_gap(codes, factor) == pytest.approx(1)
    assert mutual_information_gap(np.hstack([codes, 0 * codes]), factor) == pytest.approx(1)


@given(SEEDS)
@examples(20)
def test_order_sign_scale_and_names_of_levels_do_not_matter(seed):
    random = np.random.default_rng(seed)
    factors = uniform_factors(150, 3, 4, seed)
    codes = noisy_codes(factors, seed=seed)
    before = mutual_information_gap(codes, factors)
    assert -1e-12 <= before <= 1 + 1e-12
    changed = codes[:, random.permutation(3)] * random.choice([-1, 1], 3) * random.uniform(0.5, 3, 3) + random.normal()
    # A code within rounding of an edge may change bins.
    assert mutual_information_gap(changed, factors) == pytest.approx(before, abs=1e-9)
    renamed = random.permutation([-7, 0, 3, 100])[factors - 1]
    assert mutual_information_gap(codes, renamed) == pytest.approx(before, abs=1e-9)
    order = random.permutation(150)
    assert mutual_information_gap(codes[order], factors[order][:, ::-1]) == pytest.approx(before, abs=1e-9)
