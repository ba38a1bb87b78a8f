from itertools import product

import numpy as np
import pytest
import scipy.integrate
from tensorflow_probability import distributions as tfd

from vae_keras.likelihoods import LIKELIHOODS, Bernoulli, Gaussian


@pytest.fixture
def images():
    return np.random.default_rng(0).random((3, 4, 5, 2)).astype(np.float32)


@pytest.fixture
def logits():
    return np.random.default_rng(1).normal(scale=3, size=(3, 4, 5, 2)).astype(np.float32)


def test_bernoulli_agrees_with_an_independent_implementation(images, logits):
    binary = np.rint(images)
    expected = -np.sum(tfd.Bernoulli(logits=logits).log_prob(binary), axis=(1, 2, 3))
    np.testing.assert_allclose(Bernoulli().nll(binary, logits), expected, rtol=1e-5)


def test_bernoulli_is_a_distribution_over_binary_pictures():
    logits = np.float32([[[0.3], [-2.0]], [[4.0], [0.0]]])[None]
    pictures = np.float32(list(product([0, 1], repeat=4))).reshape(16, 2, 2, 1)
    nll = Bernoulli().nll(pictures, np.repeat(logits, 16, axis=0))
    assert np.exp(-np.asarray(nll, float)).sum() == pytest.approx(1, rel=1e-5)


def test_bernoulli_of_a_grey_picture_is_no_density_but_has_its_entropy_as_floor(images):
    assert not Bernoulli.is_density
    perfect = np.log(images / (1 - images))
    entropy = -np.sum(images * np.log(images) + (1 - images) * np.log(1 - images), axis=(1, 2, 3))
    np.testing.assert_allclose(Bernoulli().nll(images, perfect), entropy, rtol=1e-4)
    assert (np.asarray(Bernoulli().nll(images, perfect + 0.3)) > entropy).all()


def test_bernoulli_stays_finite_at_extreme_logits():
    images = np.float32([0, 1, 0, 1]).reshape(1, 2, 2, 1)
    logits = np.float32([1e4, -1e4, -1e4, 1e4]).reshape(1, 2, 2, 1)
    assert float(Bernoulli().nll(images, logits)[0]) == pytest.approx(2e4)


def test_gaussian_agrees_with_an_independent_implementation(images, logits):
    normal = tfd.Normal(1 / (1 + np.exp(-logits)), np.sqrt(np.float32(0.03)))
    expected = -np.sum(normal.log_prob(images), axis=(1, 2, 3))
    np.testing.assert_allclose(Gaussian(variance=0.03).nll(images, logits), expected, rtol=1e-4)


def test_gaussian_integrates_to_one():
    def density(x):
        return float(np.exp(-Gaussian(0.03).nll(np.full((1, 1, 1, 1), x), np.full((1, 1, 1, 1), 0.4))[0]))

    assert scipy.integrate.quad(density, -1, 2)[0] == pytest.approx(1, abs=1e-5)


def test_an_eighth_as_variance_is_four_times_the_squared_error(images, logits):
    differences = np.diff(Gaussian(0.125).nll(images, logits))
    squared = np.sum((images - 1 / (1 + np.exp(-logits))) ** 2, axis=(1, 2, 3))
    np.testing.assert_allclose(differences, np.diff(4 * squared), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("likelihood", [cls() for cls in LIKELIHOODS.values()], ids=LIKELIHOODS)
def test_the_shown_picture_is_the_sigmoid_of_the_logits(likelihood, logits):
    np.testing.assert_allclose(likelihood.picture(logits), 1 / (1 + np.exp(-logits)), rtol=1e-4, atol=1e-6)
