import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorflow_probability import distributions as tfd

from vae_keras.metrics.total_correlation_score import gaussian_total_correlation


def correlated(rows, dimensions, seed=0):
    random = np.random.default_rng(seed)
    return random.normal(size=(rows, dimensions)) @ random.normal(size=(dimensions, dimensions)) + 3


def test_it_agrees_with_the_divergence_from_the_product_of_margins():
    codes = correlated(200, 4)
    covariance = np.cov(codes, rowvar=False)
    joint = tfd.MultivariateNormalFullCovariance(np.zeros(4), covariance)
    margins = tfd.MultivariateNormalDiag(np.zeros(4), np.sqrt(np.diag(covariance)))
    assert gaussian_total_correlation(codes) == pytest.approx(float(joint.kl_divergence(margins)))


def test_two_dimensions_have_minus_half_log_one_minus_squared_correlation():
    codes = correlated(50, 2)
    correlation = np.corrcoef(codes.T)[0, 1]
    assert gaussian_total_correlation(codes) == pytest.approx(-0.5 * math.log(1 - correlation**2))


def test_independent_codes_have_what_chance_leaves():
    codes = [np.random.default_rng(seed).normal(size=(500, 10)) for seed in range(30)]
    assert np.mean([gaussian_total_correlation(c) for c in codes]) == pytest.approx(90 / (4 * 500), rel=0.1)


def test_uncorrelated_codes_have_none():
    assert gaussian_total_correlation(np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])) == pytest.approx(0, abs=1e-12)


def test_constant_dimensions_are_dropped():
    codes = correlated(100, 3)
    with_constant = np.insert(codes, 1, 0.1, axis=1)
    assert gaussian_total_correlation(with_constant) == pytest.approx(gaussian_total_correlation(codes))
    assert gaussian_total_correlation(with_constant[:, :2]) == 0
    assert gaussian_total_correlation(np.ones((5, 3))) == 0


def test_a_dimension_that_others_give_makes_it_infinite():
    codes = correlated(100, 3)
    assert gaussian_total_correlation(np.hstack([codes, codes[:, :1]])) == math.inf
    assert gaussian_total_correlation(np.hstack([codes, codes.sum(axis=1, keepdims=True)])) == math.inf
    assert gaussian_total_correlation(codes[:3]) == math.inf


@pytest.mark.parametrize("codes", [np.ones(4), np.ones((1, 4)), np.full((3, 2), np.nan)])
def test_what_are_no_codes_is_refused(codes):
    with pytest.raises(ValueError, match=r"codes|rows"):
        gaussian_total_correlation(codes)


@given(st.integers(0, 1_000))
def test_order_sign_and_scale_do_not_matter(seed):
    random = np.random.default_rng(seed)
    codes = correlated(40, 4, seed)
    before = gaussian_total_correlation(codes)
    assert before >= 0
    scale = random.choice([-1, 1], 4) * 10 ** random.uniform(-6, 6, 4)
    assert gaussian_total_correlation(codes[:, random.permutation(4)] * scale + 1) == pytest.approx(before, rel=1e-4)
