"""The importance-weighted bound where log p(x) is known: a linear-Gaussian VAE, with a right q and a wrong one."""

import numpy as np
import pytest

from tests.vae_keras.support_linear import PIXELS, linear_model, linear_vae
from vae_keras.metrics import importance_weighted
from vae_keras.metrics.importance_weighted import importance_weighted_bound


@pytest.fixture(scope="module")
def model():
    """The true model, 24 images as uint8, and their log evidence at exactly those pixels."""
    weights, offset, posterior_weights, posterior_variances, evidence = linear_model()
    images = np.random.default_rng(0).integers(0, 256, (24, PIXELS, 1, 1), dtype=np.uint8)
    exact = evidence.log_prob(images.reshape(24, PIXELS) / 255.0).numpy()
    return weights, offset, posterior_weights, posterior_variances, images, exact


def test_with_the_true_posterior_a_single_draw_is_the_log_evidence(model):
    weights, offset, posterior_weights, posterior_variances, images, exact = model
    vae = linear_vae(weights, offset, posterior_weights, posterior_variances)
    np.testing.assert_allclose(importance_weighted_bound(vae, images, samples=1), exact, atol=1e-3)


def test_with_a_wrong_posterior_it_lies_below_the_log_evidence_and_rises_to_it(model):
    weights, offset, posterior_weights, posterior_variances, images, exact = model
    wrong = linear_vae(weights, offset, 0.5 * posterior_weights, 3.0 * posterior_variances)
    gaps = []
    for samples in (1, 8, 64, 512):
        bounds = [importance_weighted_bound(wrong, images, samples, seed) for seed in range(4)]
        gap = exact - np.mean(bounds, axis=0)
        error = np.std([np.mean(bound) for bound in bounds], ddof=1) / 2
        assert np.mean(gap) > -3 * error
        gaps.append(np.mean(gap))
    assert gaps[0] > 0.5
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] < 0.05


def test_one_draw_is_the_elbo_of_one_draw(model, monkeypatch):
    weights, offset, posterior_weights, posterior_variances, images, _ = model
    wrong = linear_vae(weights, offset, 0.5 * posterior_weights, 3.0 * posterior_variances)
    monkeypatch.setattr(importance_weighted, "IMAGES_AT_ONCE", 10_000)
    many = np.repeat(images, 400, axis=0)
    elbo = np.reshape(wrong.elbo_terms(many / np.float32(255)).elbo, (24, 400))
    bound = importance_weighted_bound(wrong, many, samples=1).reshape(24, 400)
    # Of the mean over images, each with draws of its own.
    error = np.sqrt(np.sum(elbo.var(axis=1) + bound.var(axis=1)) / 400) / 24
    assert abs(bound.mean() - elbo.mean()) < 4 * error < 0.4


def test_draws_in_pieces_are_the_draws_at_once(model, monkeypatch):
    weights, offset, posterior_weights, posterior_variances, images, _ = model
    wrong = linear_vae(weights, offset, 0.5 * posterior_weights, 3.0 * posterior_variances)
    whole = importance_weighted_bound(wrong, images, 12)
    monkeypatch.setattr(importance_weighted, "DRAWS_AT_ONCE", 5)
    np.testing.assert_allclose(importance_weighted_bound(wrong, images, 12), whole, rtol=1e-6)
