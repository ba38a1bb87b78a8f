import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import examples
from tests.vae_keras.metrics.pools import noisy_codes, shuffled_rows, ten_factors, uniform_factors
from vae_keras.metrics.interventional_robustness_score import interventional_robustness


def robustness_by_loops(codes, factors):
    """The same, one number at a time; the percentile by sorting and interpolating."""
    scores, weights = [], []
    for code in codes.T.tolist():
        mean = sum(code) / len(code)
        largest = max(abs(c - mean) for c in code)
        if len(set(code)) == 1:
            continue
        per_factor = []
        for factor in factors.T.tolist():
            left = []
            for value in set(factor):
                group = [c for c, v in zip(code, factor, strict=True) if v == value]
                centre = sum(group) / len(group)
                ordered = sorted(abs(c - centre) for c in group)
                place = 0.99 * (len(ordered) - 1)
                low = int(place)
                high = min(low + 1, len(ordered) - 1)
                left.append(ordered[low] + (place - low) * (ordered[high] - ordered[low]))
            per_factor.append(1 - sum(left) / len(left) / largest)
        scores.append(max(per_factor))
        weights.append(largest)
    return sum(s * w for s, w in zip(scores, weights, strict=True)) / sum(weights)


@pytest.mark.parametrize("seed", range(3))
def test_it_agrees_with_loops(seed):
    factors = uniform_factors(150, 3, 4, seed)
    mixing = np.random.default_rng(seed).normal(size=(3, 4))
    codes = np.hstack([noisy_codes(factors, seed=seed) @ mixing * [1, 5, 1, 0.1], np.full((150, 1), 0.1)])
    assert interventional_robustness(codes, factors) == pytest.approx(robustness_by_loops(codes, factors))


def test_codes_equal_to_the_factors_once_or_twice_have_one():
    codes, factors = ten_factors(2_000)
    assert interventional_robustness(codes, factors) == pytest.approx(1)
    assert interventional_robustness(np.hstack([codes, codes]), factors) == pytest.approx(1)


def test_constant_codes_have_none_and_do_not_count_among_others():
    codes, factors = ten_factors(500)
    assert interventional_robustness(np.full_like(codes, 0.1), factors) == 0
    assert interventional_robustness(np.hstack([codes, np.full_like(codes, 0.1)]), factors) == pytest.approx(1)


def test_codes_that_say_nothing_have_little_or_what_a_percentile_leaves():
    codes, factors = ten_factors(5_000)
    assert interventional_robustness(shuffled_rows(codes), factors) == pytest.approx(0, abs=0.03)
    gaussian = np.random.default_rng(0).normal(size=codes.shape)
    # 1 - 2.58 / 3.7, the 99th percentile over the expected largest of 5,000.
    assert interventional_robustness(gaussian, factors) == pytest.approx(0.31, abs=0.06)


def test_an_outlier_raises_it():
    factors = uniform_factors(2_000, 2, 5)
    codes = noisy_codes(factors, 1.0)
    before = interventional_robustness(codes, factors)
    codes[0] = 1_000
    assert interventional_robustness(codes, factors) > max(0.99, before)


def test_every_value_counts_alike_however_rare():
    factor = np.array([0] * 900 + [1] * 100)[:, None]
    codes = np.concatenate([np.zeros(900), np.tile([-1.0, 1.0], 50)])[:, None]
    # Nothing is left under value 0, everything under value 1.
    assert interventional_robustness(codes, factor) == pytest.approx(0.5)


def test_dimensions_count_by_their_largest_deviation():
    factor = np.tile([0, 1], 200)[:, None]
    told, untold = factor[:, 0] - 0.5, np.repeat([-0.5, 0.5], 200)
    codes = np.stack([3 * told, untold], axis=1)
    # Robustness 1 and 0 with weights 3 and 1.
    assert interventional_robustness(codes, factor) == pytest.approx(0.75)


def test_a_factor_of_many_values_is_cut_into_bins():
    factor = np.arange(1_000)[:, None]
    codes = np.random.default_rng(0).normal(size=(1_000, 1))
    # Each row has a value of its own: uncut, nothing would be left to deviate.
    assert interventional_robustness(codes, factor) < 0.6
    assert interventional_robustness(codes, factor, bins=1_000) == pytest.approx(1)
    few = np.arange(1_000)[:, None] % 20
    uneven = np.where(few == 19, 10_000, few)
    assert interventional_robustness(codes, few) == pytest.approx(interventional_robustness(codes, uneven))


@given(st.integers(0, 1_000))
@examples(20)
def test_order_sign_shift_and_names_of_levels_do_not_matter(seed):
    random = np.random.default_rng(seed)
    factors = uniform_factors(150, 3, 4, seed)
    codes = noisy_codes(factors, seed=seed)
    before = interventional_robustness(codes, factors)
    assert before <= 1
    changed = 3 * codes[:, random.permutation(3)] * random.choice([-1, 1], 3) + random.normal(size=3)
    assert interventional_robustness(changed, factors) == pytest.approx(before)
    assert interventional_robustness(codes, np.array([70, 4, -9, 0])[factors - 1]) == pytest.approx(before)
    # The scale of one dimension alone is its weight.
    assert interventional_robustness(codes[:, :1] * 7, factors) == pytest.approx(
        interventional_robustness(codes[:, :1], factors)
    )
