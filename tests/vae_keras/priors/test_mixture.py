"""The mixture as a density: against scipy, its own samples, and its limits."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import special, stats

from vae_keras.gaussians import Posterior
from vae_keras.priors import Mixture, StandardNormal


@pytest.fixture(scope="module")
def mixture():
    """Three components in two dimensions, one of them narrow and tilted."""
    tilted = np.array([[0.5, 0.3], [0.3, 0.2]])
    return Mixture(
        np.array([0.5, 0.3, 0.2]),
        np.array([[0.0, 0.0], [2.0, -1.0], [-3.0, 1.0]]),
        np.stack([np.eye(2), tilted, 0.01 * np.eye(2)]),
    )


def test_the_density_is_that_of_scipy_in_every_shape(mixture):
    z = np.random.default_rng(0).normal(size=(4, 5, 2)) * 3
    parts = zip(mixture.weights, mixture.means, mixture.covariances, strict=True)
    expected = special.logsumexp(
        [np.log(weight) + stats.multivariate_normal(mean, covariance).logpdf(z) for weight, mean, covariance in parts],
        axis=0,
    )
    np.testing.assert_allclose(mixture.log_prob(z), expected, rtol=1e-10)
    np.testing.assert_allclose(mixture.log_prob(z.astype(np.float32)), expected, rtol=1e-4, atol=1e-4)


def test_the_density_integrates_to_one(mixture):
    grid = np.arange(-9, 9, 0.02)
    z = np.stack(np.meshgrid(grid, grid), axis=-1)
    assert np.exp(np.asarray(mixture.log_prob(z))).sum() * 0.02**2 == pytest.approx(1, abs=1e-6)


def test_samples_have_the_density(mixture):
    z = mixture.sample(20_000, seed=1)
    assert z.dtype == np.float32
    np.testing.assert_array_equal(z, mixture.sample(20_000, seed=1))
    assert not np.array_equal(z, mixture.sample(20_000, seed=2))
    # Of the samples in a half-plane there are as many as the distribution of the projection says.
    for direction in ([1.0, 0.0], [0.6, 0.8]):
        centres = mixture.means @ direction
        widths = np.sqrt(np.einsum("d,kde,e->k", direction, mixture.covariances, direction))
        cumulative = lambda at, c=centres, w=widths: stats.norm.cdf(np.asarray(at)[:, None], c, w) @ mixture.weights  # noqa: E731
        assert stats.kstest(z @ direction, cumulative).pvalue > 1e-3


def test_one_standard_component_is_the_standard_normal():
    mixture, normal = Mixture(np.ones(1), np.zeros((1, 3)), np.eye(3)[None]), StandardNormal(3)
    z = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    np.testing.assert_allclose(mixture.log_prob(z), normal.log_prob(z), rtol=1e-5)
    posterior = Posterior(0.5 * z, np.full_like(z, -1.0))
    draws = np.random.default_rng(1).normal(size=(4_000, 50, 3)).astype(np.float32)
    estimate = np.mean(mixture.kl(posterior, posterior.reparameterised(draws)))
    assert estimate == pytest.approx(float(np.mean(normal.kl(posterior, z))), abs=0.01)


def test_the_density_is_differentiable(mixture):
    z = tf.constant([[0.3, -0.2], [2.0, -1.0]])
    with tf.GradientTape() as tape:
        tape.watch(z)
        value = mixture.log_prob(z)
    gradient = tape.gradient(value, z).numpy()
    for place, step in np.ndindex(2, 2):
        shift = np.zeros((2, 2))
        shift[place, step] = 1e-5
        numerical = mixture.log_prob(z.numpy() + shift)[place] - mixture.log_prob(z.numpy() - shift)[place]
        assert gradient[place, step] == pytest.approx(float(numerical) / 2e-5, rel=1e-3)
