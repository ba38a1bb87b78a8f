"""The table network that starts as the best linear VAE computes what the closed form says."""

import numpy as np
import pytest
from keras import ops

import vae_keras
from common.errors import UserError
from vae_keras.architectures import Table
from vae_keras.architectures.linear_start import linearised, start_as_linear_vae
from vae_keras.likelihoods import LIKELIHOODS, Gaussian, LearnedGaussian
from vae_keras.metrics import fit_linear_vae
from vae_keras.priors import Flow

LATENTS = 6


def smooth_images(channels, contrast, coarse):
    """Pictures (60, 32, 32, channels) of little contrast around grey, made of squares of `coarse` pixels."""
    random = np.random.default_rng(0)
    side = 32 // coarse
    strengths = random.normal(size=(60, LATENTS)) * [6, 5, 4, 3, 2, 1]
    pictures = strengths @ random.normal(size=(LATENTS, side * side * channels)) + 0.5 * random.normal(
        size=(60, side * side * channels)
    )
    pictures = pictures.reshape(60, side, 1, side, 1, channels)
    pictures = np.broadcast_to(pictures, (60, side, coarse, side, coarse, channels)).reshape(60, 32, 32, channels)
    return (0.5 + contrast * pictures / np.abs(pictures).max()).astype(np.float32)


@pytest.mark.parametrize(("channels", "coarse"), [(1, 1), (3, 2)])
def test_the_encoder_is_the_linear_vaes_posterior(channels, coarse):
    images, variance = smooth_images(channels, 0.1, coarse), 1e-3
    vae = vae_keras.build_vae((32, 32, channels), LATENTS + 2, likelihood=Gaussian(variance))
    start_as_linear_vae(vae, images)
    linear = fit_linear_vae(images, LATENTS + 2, variance)
    used = len(linear.eigenvalues)
    posterior = vae.encode(images)
    flat = images.reshape(60, -1)
    expected = (flat - linear.mean) @ linear.axes.T * np.sqrt(linear.eigenvalues - variance) / linear.eigenvalues
    np.testing.assert_allclose(posterior.mean[:, :used], expected, atol=2e-3)
    np.testing.assert_allclose(
        posterior.log_variance[:, :used], np.tile(np.log(variance / linear.eigenvalues), (60, 1)), rtol=1e-4
    )
    # Latents that the linear VAE has no use for stay at the prior.
    assert not np.any(posterior.mean[:, used:])
    assert not np.any(posterior.log_variance[:, used:])


def test_the_decoder_draws_what_the_linear_vae_draws():
    images, variance = smooth_images(1, 0.05, 1), 1e-4
    vae = vae_keras.build_vae((32, 32, 1), LATENTS, likelihood=Gaussian(variance))
    start_as_linear_vae(vae, images)
    linear = fit_linear_vae(images, LATENTS, variance)
    # Where the logits are nearly straight the two differ by the sigmoid's curve alone.
    np.testing.assert_allclose(vae(images), linear.reconstruct(images), atol=2e-4)
    terms, bound = vae.elbo_terms(images), linear.elbo(images)
    assert float(ops.mean(terms.kl)) == pytest.approx(bound.kl, rel=0.01)
    assert float(ops.mean(terms.elbo)) == pytest.approx(bound.elbo, rel=0.01)


def test_coarse_pictures_are_drawn_smoothly_and_in_their_colours():
    images = smooth_images(3, 0.05, 8)
    vae = vae_keras.build_vae((32, 32, 3), LATENTS, likelihood=Gaussian(1e-4))
    start_as_linear_vae(vae, images)
    drawn, linear = np.asarray(vae(images)), fit_linear_vae(images, LATENTS, 1e-4).reconstruct(images)
    middle = np.arange(32) % 8
    inside = np.ix_(range(60), np.flatnonzero((middle > 1) & (middle < 6)), np.flatnonzero((middle > 1) & (middle < 6)))
    np.testing.assert_allclose(drawn[inside], linear[inside], atol=1e-3)
    assert np.abs(drawn - linear)[:, 4:-4, 4:-4].max() < np.ptp(linear)


def test_every_weight_that_was_spare_is_still_random_and_changes_nothing():
    images = smooth_images(3, 0.1, 2)
    vae, random = (vae_keras.build_vae((32, 32, 3), LATENTS, likelihood=Gaussian(1e-3), seed=4) for _ in range(2))
    start_as_linear_vae(vae, images)
    kernel, before = vae.encoder.layers[0].kernel.numpy(), random.encoder.layers[0].kernel.numpy()
    np.testing.assert_array_equal(kernel[..., 24:], before[..., 24:])  # 2 x 2 cells of 3 channels, in pairs
    code = np.asarray(vae.encode(images).mean)
    vae.encoder.layers[0].kernel.assign(np.concatenate([kernel[..., :24], 7 * kernel[..., 24:]], axis=-1))
    np.testing.assert_allclose(vae.encode(images).mean, code, atol=1e-5)


def test_a_learned_variance_starts_at_the_linear_vaes():
    images = smooth_images(1, 0.2, 1)
    vae = vae_keras.build_vae((32, 32, 1), LATENTS, likelihood=LearnedGaussian())
    start_as_linear_vae(vae, images)
    assert vae.likelihood.variance == pytest.approx(fit_linear_vae(images, LATENTS, None).variance, rel=1e-4)


@pytest.mark.parametrize("name", sorted(LIKELIHOODS))
def test_logits_and_slope_invert_every_likelihood(name):
    likelihood = LIKELIHOODS[name]().build()
    picture = np.linspace(0.25, 0.75, 11, dtype=np.float32)  # what all of them reach within the logits allowed
    logits, slope = linearised(likelihood, picture)
    np.testing.assert_allclose(likelihood.mean(logits.astype(np.float32)), picture, atol=1e-4)
    step = np.float32(1e-2)
    up, down = (np.asarray(likelihood.mean(ops.cast(logits + sign * step, "float32"))) for sign in (1, -1))
    np.testing.assert_allclose(slope, (up - down) / (2 * step), rtol=0.01)


@pytest.mark.parametrize(("count", "contrast"), [(1, 1.0), (2, 1.0), (60, 1e-4), (60, 0.0)])
def test_where_there_is_nothing_to_start_from_the_weights_stay_random(count, contrast):
    images = np.float32(0.5) + contrast * (smooth_images(1, 0.1, 1)[:count] - np.float32(0.5))
    vae = vae_keras.build_vae((32, 32, 1), LATENTS)
    before = vae.get_weights()
    start_as_linear_vae(vae, images.astype(np.float32))
    for weight, other in zip(vae.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, other)


@pytest.mark.parametrize("sizes", [{"encoder_filters": (1, 64)}, {"seed_channels": 2}, {"decoder_filters": 4}])
def test_too_few_filters_are_named(sizes):
    vae = vae_keras.build_vae((32, 32, 3), 2, Table(**sizes), Gaussian(1e-3))
    with pytest.raises(UserError, match="--linear-start needs more filters"):
        start_as_linear_vae(vae, smooth_images(3, 0.1, 2))


@pytest.mark.parametrize(("prior", "lines"), [(None, 0), (Flow(), 1)])
def test_a_start_with_another_prior_than_the_vaes_is_told(prior, lines, caplog):
    vae = vae_keras.build_vae((32, 32, 1), 2, likelihood=Gaussian(0.01), prior=prior)
    start_as_linear_vae(vae, smooth_images(1, 0.05, 1))
    assert ["Flow" in record.message for record in caplog.records] == [True] * lines


def test_a_bernoulli_likelihood_starts_from_its_own_variance():
    picture = np.linspace(0.1, 0.9, 50)
    likelihood = LIKELIHOODS["bernoulli"]().build()
    # Var[x] = p (1 - p)
    variance = likelihood.linear_variance(linearised(likelihood, picture)[1])
    assert variance == pytest.approx(np.mean(picture * (1 - picture)), rel=1e-3)
