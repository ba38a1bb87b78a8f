import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import examples
from tests.vae_keras.metrics.pools import noisy_codes, shuffled_rows, ten_factors, uniform_factors
from vae_keras.metrics.explicitness_score import explicitness
from vae_keras.metrics.pool import train_test_split


def test_factors_of_two_levels_are_perfect():
    factors = uniform_factors(600, 5, 2)
    assert explicitness(factors.astype(float), factors) == pytest.approx(1)


def test_a_dimension_for_each_value_is_perfect():
    factors = uniform_factors(900, 2, 5)
    codes = (factors[:, :, None] == np.arange(1, 6)).reshape(900, -1).astype(float)
    assert explicitness(codes, factors) == pytest.approx(1)


def test_codes_that_are_the_factors_are_explicit_middle_values_too():
    assert explicitness(*ten_factors(6_000)) > 0.97


def test_codes_that_say_nothing_are_at_chance():
    codes, factors = ten_factors(3_000)
    assert explicitness(np.zeros_like(codes), factors) == 0.5
    assert explicitness(shuffled_rows(codes), factors) == pytest.approx(0.5, abs=0.02)


def test_a_single_code_has_the_area_of_its_pairs():
    factors = uniform_factors(300, 1, 2)
    codes = noisy_codes(factors, 1.0)
    split = train_test_split(codes, factors, seed=0)
    values = split.test_codes[:, 0]
    low, high = values[split.test_factors[:, 0] == 1], values[split.test_factors[:, 0] == 2]
    # The share of pairs, one row of either value, that the code puts in order.
    expected = np.mean([above > below for above, below in itertools.product(high, low)])
    assert explicitness(codes, factors) == pytest.approx(expected)


def test_the_mean_is_over_values_and_then_over_factors():
    factors = np.hstack([uniform_factors(3_000, 1, 2), uniform_factors(3_000, 1, 9, seed=1)])
    # The first is told perfectly, no value of the second at all: its nine values do not outweigh it.
    assert explicitness(factors[:, :1].astype(float), factors) == pytest.approx(0.75, abs=0.02)


def test_a_mixture_is_as_explicit_as_what_it_mixes():
    factors = uniform_factors(1_500, 3, 3)
    codes = noisy_codes(factors)
    mixed = codes @ np.random.default_rng(0).normal(size=(3, 3))
    assert explicitness(mixed, factors) == pytest.approx(explicitness(codes, factors), abs=5e-3)


def test_values_too_rare_for_a_curve_are_left_out():
    factors = uniform_factors(300, 1, 2)
    codes = factors.astype(float)
    factors[0] = 99
    assert explicitness(codes, factors) > 0.99


def test_too_few_rows_for_any_curve_are_refused():
    with pytest.raises(ValueError, match="pass more rows"):
        explicitness(np.arange(4.0)[:, None], np.arange(4)[:, None])


@given(st.integers(0, 1_000))
@examples(10)
def test_order_sign_scale_and_names_of_levels_do_not_matter(seed):
    random = np.random.default_rng(seed)
    factors = uniform_factors(150, 2, 3, seed)
    codes = noisy_codes(factors, seed=seed)
    before = explicitness(codes, factors, seed)
    assert 0 <= before <= 1
    changed = codes[:, random.permutation(2)] * random.choice([-1, 1], 2) * random.uniform(0.01, 300, 2) + 5
    # The solver stops at its tolerance, and two test rows may change places.
    assert explicitness(changed, factors, seed) == pytest.approx(before, abs=2e-3)
    assert explicitness(codes, np.array([70, 4, -9])[factors - 1], seed) == pytest.approx(before, abs=2e-3)
