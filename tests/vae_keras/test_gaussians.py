import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from keras import ops
from tensorflow_probability import distributions as tfd

from vae_keras.gaussians import bounded_log_variance, kl_to_standard_normal, log_density
from vae_keras.types import Posterior

numbers = st.floats(-5, 5, width=32)


def test_kl_agrees_with_an_independent_implementation(posterior):
    q = tfd.Normal(posterior.mean, np.exp(0.5 * posterior.log_variance))
    np.testing.assert_allclose(
        kl_to_standard_normal(posterior), q.kl_divergence(tfd.Normal(0.0, 1.0)), rtol=1e-4, atol=1e-6
    )


def test_kl_agrees_with_monte_carlo(posterior):
    mean, std = posterior.mean.astype(float), np.exp(0.5 * posterior.log_variance.astype(float))
    z = mean + std * np.random.default_rng(0).standard_normal((20_000, *mean.shape))
    ratios = scipy.stats.norm.logpdf(z, mean, std) - scipy.stats.norm.logpdf(z)
    standard_error = ratios.std(axis=0) / np.sqrt(len(ratios))
    difference = np.asarray(kl_to_standard_normal(posterior)) - ratios.mean(axis=0)
    assert np.abs(difference / standard_error).max() < 5


@given(numbers, numbers)
def test_kl_is_positive_except_at_the_prior(mean, log_variance):
    kl = float(kl_to_standard_normal(Posterior(np.float32([[mean]]), np.float32([[log_variance]])))[0, 0])
    assert kl >= -1e-7  # rounding
    if abs(mean) > 0.01 or abs(log_variance) > 0.01:
        assert kl > 0
    assert float(kl_to_standard_normal(Posterior(np.zeros((1, 1)), np.zeros((1, 1))))[0, 0]) == 0


@given(numbers, numbers, numbers)
def test_density_agrees_with_scipy(value, mean, log_variance):
    ours = float(log_density(np.float64(value), np.float64(mean), np.float64(log_variance)))
    assert ours == pytest.approx(scipy.stats.norm.logpdf(value, mean, np.exp(0.5 * log_variance)), rel=1e-5, abs=1e-5)


def test_a_bounded_log_variance_never_overflows_and_hardly_changes_near_zero():
    raw = np.float32([-1e9, -3.5, 0.0, 3.5, 1e9])
    bounded = np.asarray(bounded_log_variance(raw))
    assert np.isfinite(np.exp(bounded)).all()
    assert np.exp(bounded).min() > 0
    np.testing.assert_allclose(bounded[1:4], raw[1:4], rtol=0.011)


def test_the_bound_lets_a_gradient_through():
    raw = tf.constant([-30.0, 30.0])
    with tf.GradientTape() as tape:
        tape.watch(raw)
        total = ops.sum(bounded_log_variance(raw))
    assert (np.asarray(tape.gradient(total, raw)) > 1e-3).all()


def test_samples_are_standard_normal_where_the_posterior_is_taken_off():
    posterior = Posterior(np.array([[3.0, -1.0]]), np.log([[0.25, 4.0]]))
    z = posterior.sample(20_000, seed=1)
    assert z.shape == (20_000, 1, 2)
    np.testing.assert_array_equal(z, posterior.sample(20_000, seed=1))
    for latent, (mean, deviation) in zip(z[:, 0].T, [(3.0, 0.5), (-1.0, 2.0)], strict=True):
        assert scipy.stats.kstest(latent, scipy.stats.norm(mean, deviation).cdf).pvalue > 1e-3
