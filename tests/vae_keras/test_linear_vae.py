"""The closed form against direct evaluation, against any other choice, and against a linear VAE that we train."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from tensorflow_probability import distributions as tfd

import vae_keras
from tests.vae_keras.support_linear import Ready
from vae_keras.gaussians import log_density
from vae_keras.likelihoods.learned_variance import LearnedVariance
from vae_keras.metrics import fit_linear_vae
from vae_keras.objectives import NegativeElbo

PIXELS, LATENTS = 6, 2


@pytest.fixture(scope="module")
def images():
    """Images of six pixels with two strong directions, a weak one, and noise, (500, 6, 1, 1)."""
    random = np.random.default_rng(0)
    orthonormal, _ = np.linalg.qr(random.normal(size=(PIXELS, 3)))
    directions = orthonormal.T * [[2.0], [0.7], [0.3]]
    flat = 0.3 + random.normal(size=(500, 3)) @ directions + 0.2 * random.normal(size=(500, PIXELS))
    return flat.reshape(-1, PIXELS, 1, 1)


def weights_of(model):
    return model.axes.T * np.sqrt(model.eigenvalues - model.variance)


def log_evidence(weights, mean, variance, images):
    """log N(x; b, W W^T + s2 I), mean over images, by an independent implementation."""
    covariance = weights @ weights.T + variance * np.eye(PIXELS)
    normal = tfd.MultivariateNormalFullCovariance(mean, covariance)
    return float(np.mean(normal.log_prob(images.reshape(-1, PIXELS))))


@pytest.mark.parametrize("variance", [0.01, 0.1, None])
def test_the_elbo_is_the_log_evidence_of_its_gaussian(images, variance):
    model = fit_linear_vae(images[:400], LATENTS, variance)
    bound = model.elbo(images[400:])
    assert bound.elbo == pytest.approx(log_evidence(weights_of(model), model.mean, model.variance, images[400:]))
    assert bound.elbo == pytest.approx(-bound.reconstruction_nll - bound.kl)


@pytest.mark.parametrize("variance", [0.05, None])
def test_the_terms_and_the_reconstruction_are_those_of_the_exact_posterior(images, variance):
    model = fit_linear_vae(images, LATENTS, variance)
    weights, image = weights_of(model), images[7].ravel()
    covariance = np.linalg.inv(np.eye(LATENTS) + weights.T @ weights / model.variance)
    mean = covariance @ weights.T @ (image - model.mean) / model.variance
    posterior = tfd.MultivariateNormalFullCovariance(mean, covariance)
    prior = tfd.MultivariateNormalDiag(np.zeros(LATENTS))
    bound = model.elbo(images[7:8])
    assert bound.kl == pytest.approx(float(posterior.kl_divergence(prior)))
    # E_q[(x - W z - b)^2] = (x - W E[z] - b)^2 + tr(W cov W^T)
    squared = np.sum((image - weights @ mean - model.mean) ** 2) + np.trace(weights @ covariance @ weights.T)
    expected = 0.5 * (PIXELS * math.log(2 * math.pi * model.variance) + squared / model.variance)
    assert bound.reconstruction_nll == pytest.approx(expected)
    np.testing.assert_allclose(model.reconstruct(images[7:8]).ravel(), weights @ mean + model.mean)


@pytest.mark.parametrize("variance", [0.05, None])
def test_no_other_choice_has_a_higher_evidence(images, variance):
    model = fit_linear_vae(images, LATENTS, variance)
    best = model.elbo(images).elbo
    random = np.random.default_rng(1)
    for _ in range(50):
        scale = 10 ** random.uniform(-3, -1)
        nudged = weights_of(model) + scale * random.normal(size=(PIXELS, LATENTS))
        mean = model.mean + scale * random.normal(size=PIXELS)
        spread = model.variance if variance else model.variance * math.exp(scale * random.normal())
        assert log_evidence(nudged, mean, spread, images) < best


def test_latents_that_do_not_pay_are_not_used(images):
    eigenvalues = np.sort(np.linalg.eigvalsh(np.cov(images.reshape(-1, PIXELS).T, bias=True)))[::-1]
    variance = 0.5 * (eigenvalues[1] + eigenvalues[2])
    model = fit_linear_vae(images, 4, variance)
    np.testing.assert_allclose(model.eigenvalues, eigenvalues[:2])
    assert model.elbo(images).elbo == pytest.approx(fit_linear_vae(images, 2, variance).elbo(images).elbo)


def test_without_variance_it_is_pca(images):
    flat = images.reshape(-1, PIXELS)
    _, _, axes = np.linalg.svd(flat - flat.mean(axis=0), full_matrices=False)
    projected = flat.mean(axis=0) + (flat - flat.mean(axis=0)) @ axes[:LATENTS].T @ axes[:LATENTS]
    np.testing.assert_allclose(fit_linear_vae(images, LATENTS, 0.0).reconstruct(images).reshape(-1, PIXELS), projected)


@pytest.mark.parametrize(("count", "variance", "axes"), [(5, 1e-4, 4), (5, None, 3), (500, 1e-4, 6), (500, None, 5)])
def test_more_latents_than_the_images_can_use_are_no_harm(images, count, variance, axes):
    model = fit_linear_vae(images[:count], 32, variance)
    assert len(model.eigenvalues) == axes
    assert math.isfinite(model.elbo(images).elbo)
    assert model.variance > 0


def test_a_variance_above_all_eigenvalues_leaves_the_mean(images):
    model = fit_linear_vae(images, LATENTS, 100.0)
    assert len(model.eigenvalues) == 0
    np.testing.assert_allclose(model.reconstruct(images), np.broadcast_to(images.mean(axis=0), images.shape))
    assert model.elbo(images).kl == 0


@pytest.mark.parametrize("variance", [None, 0.0, 0.3])
def test_overwriting_the_images_gives_the_same_model(images, variance):
    kept = images.copy()
    plain = fit_linear_vae(images, 2, variance)
    np.testing.assert_array_equal(images, kept)
    for ours, theirs in zip(fit_linear_vae(kept, 2, variance, overwrite=True), plain, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_images_that_are_all_alike_have_a_variance_of_their_rounding():
    model = fit_linear_vae(np.repeat(np.random.default_rng(0).random((2, 8)), 5, axis=0), 4, None)
    assert 0 < model.variance < 1e-6


class LinearGaussian(LearnedVariance):
    """x ~ N(outputs, variance): the decoder's outputs are the mean itself."""

    def nll(self, images, outputs):
        return -ops.sum(log_density(images, outputs, self.log_variance), axis=(1, 2, 3))


@pytest.mark.parametrize("variance", [0.05, None])
def test_a_linear_vae_trained_by_our_own_code_comes_to_the_same(images, variance):
    keras.utils.set_random_seed(0)
    encoder = keras.Sequential([keras.Input((PIXELS, 1, 1)), layers.Flatten(), layers.Dense(2 * LATENTS)])
    decoder = keras.Sequential([keras.Input((LATENTS,)), layers.Dense(PIXELS), layers.Reshape((PIXELS, 1, 1))])
    likelihood = LinearGaussian()
    if variance:
        likelihood.scaled_log_variance.assign(math.log(variance) / likelihood.pace)
        likelihood.trainable = False
    vae = vae_keras.VAE(encoder, decoder, Ready(likelihood), NegativeElbo(), seed=0)
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 2500)
    vae.compile(optimizer=keras.optimizers.Adam(schedule), jit_compile=False)
    scaled = images.astype(np.float32)
    # Each image occurs eight times, so a step averages over eight posterior samples of each image.
    batches = tf.data.Dataset.from_tensors(np.repeat(scaled, 8, axis=0)).repeat(2500)
    vae.fit(batches, verbose=0, shuffle=False)
    model = fit_linear_vae(images, LATENTS, variance)
    repeated = np.repeat(scaled, 100, axis=0)
    terms = vae.evaluate(repeated, batch_size=10_000, verbose=0, return_dict=True)
    closed_form = model.elbo(images)
    assert terms["elbo"] == pytest.approx(closed_form.elbo, abs=0.02)
    assert terms["kl"] == pytest.approx(closed_form.kl, abs=0.05)
    assert likelihood.variance == pytest.approx(model.variance, rel=0.01)
