"""The learned priors as densities: integrals, samples, divergences, gradients, and when they are N(0, I)."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import vae_keras
from common.errors import UserError
from vae_keras.gaussians import Posterior
from vae_keras.priors import PRIORS, Flow, StandardNormal, Vamp, log_prior

LEARNED = {"vamp": Vamp(pseudo_inputs=5), "flow": Flow(couplings=4, coupling_units=8)}
IMAGE = (4, 4, 1)
STEP = 0.03
GRID = np.stack(np.meshgrid(*[np.arange(-12, 12, STEP)] * 2), axis=-1)


def encode(images):
    """A posterior in two dimensions that depends on the images: bright ones are narrow and far out."""
    flat = tf.reshape(images, (len(images), -1))
    mean = 6 * tf.stack([tf.reduce_mean(flat[:, :8], 1) - 0.5, tf.reduce_mean(flat[:, 8:], 1) - 0.5], axis=1)
    return Posterior(mean, -1.0 - mean)


@pytest.fixture(params=LEARNED, scope="module")
def prior(request):
    """A prior over two latents whose weights are far from where they start."""
    built = LEARNED[request.param].build(2, IMAGE, encode, seed=0)
    random, spread = np.random.default_rng(0), {"vamp": 0.7, "flow": 0.15}[request.param]
    for weight in built.trainable_variables:
        weight.assign(weight + spread * random.normal(size=weight.shape))
    return built


def density(prior):
    return np.exp(log_prior(prior, GRID.reshape(-1, 2))).reshape(GRID.shape[:-1])


def test_the_density_integrates_to_one_and_is_not_normal(prior):
    p = density(prior)
    assert p.sum() * STEP**2 == pytest.approx(1, abs=2e-3)
    normal = np.exp(log_prior(StandardNormal(2), GRID))
    assert np.abs(p - normal).sum() * STEP**2 > 0.2


def test_the_density_has_the_shape_of_the_latents(prior):
    z = np.random.default_rng(0).normal(size=(3, 5, 2)).astype(np.float32)
    whole = np.asarray(prior.log_prob(z))
    assert whole.shape == (3, 5)
    np.testing.assert_allclose(whole[1], prior.log_prob(z[1]), rtol=1e-4, atol=1e-5)


def test_samples_have_the_density(prior):
    z = prior.sample(40_000, seed=1)
    assert z.dtype == np.float32
    np.testing.assert_array_equal(z, prior.sample(40_000, seed=1))
    p = density(prior)
    # The share of samples in each of 64 squares is the integral over it.
    edges = np.arange(-12, 13, 3.0)
    counts = np.histogram2d(z[:, 1], z[:, 0], bins=(edges, edges))[0] / len(z)
    inside = p.reshape(8, 100, 8, 100).sum(axis=(1, 3)) * STEP**2
    np.testing.assert_allclose(counts, inside, atol=5 * np.sqrt(0.25 / len(z)) + 2e-3)


def test_the_mean_of_the_kl_is_the_divergence(prior):
    mean, log_variance = np.array([[0.5, -0.4]], np.float32), np.array([[-1.0, -0.5]], np.float32)
    posterior = Posterior(mean, log_variance)
    noise = np.random.default_rng(3).normal(size=(20_000, 2)).astype(np.float32)
    draws = np.asarray(prior.kl(posterior, posterior.reparameterised(noise)))
    log_q = np.asarray(posterior.log_prob(GRID.reshape(-1, 1, 2).astype(np.float32)), float).reshape(GRID.shape[:-1])
    integral = np.sum(np.exp(log_q) * (log_q - np.log(density(prior)))) * STEP**2
    assert draws.mean() == pytest.approx(integral, abs=5 * draws.std() / np.sqrt(len(draws)) + 1e-3)


def test_no_latent_has_a_kl_of_its_own(prior):
    assert prior.kl_per_latent(Posterior(np.zeros((1, 2)), np.zeros((1, 2)))) is None


def test_in_its_limit_each_prior_is_the_standard_normal():
    z = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    expected = StandardNormal(3).log_prob(z)
    flow = Flow().build(3, IMAGE, encode, seed=0)
    np.testing.assert_allclose(flow.log_prob(z), expected, rtol=1e-5)
    np.testing.assert_allclose(flow.sample(10, 4), StandardNormal(3).sample(10, 4), rtol=1e-6)

    def collapsed(images):
        return Posterior(tf.zeros((len(images), 3)), tf.zeros((len(images), 3)))

    np.testing.assert_allclose(Vamp().build(3, IMAGE, collapsed, seed=0).log_prob(z), expected, rtol=1e-5)


def test_the_vamp_prior_of_all_images_is_the_aggregate_posterior():
    images = np.random.default_rng(0).uniform(0.1, 0.9, (7, *IMAGE)).astype(np.float32)
    prior = Vamp(pseudo_inputs=7).build(2, IMAGE, encode, seed=0)
    prior.logits.assign(np.log(images / (1 - images)))
    z = np.random.default_rng(1).normal(size=(20, 1, 2)).astype(np.float32)
    expected = np.log(np.mean(np.exp(encode(images).log_prob(z)), axis=1))
    np.testing.assert_allclose(prior.log_prob(z[:, 0]), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", LEARNED)
def test_every_weight_of_the_prior_learns_and_is_saved(name, tmp_path):
    vae = vae_keras.build_vae((32, 32, 1), 4, prior=LEARNED[name], likelihood="gaussian")
    vae.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
    images = np.random.default_rng(0).random((12, 32, 32, 1)).astype(np.float32)
    before = [np.array(weight) for weight in vae.prior.trainable_variables]
    assert before
    for _ in range(3):
        vae.train_on_batch(images)
    changed = [np.any(np.array(new) != old) for new, old in zip(vae.prior.trainable_variables, before, strict=True)]
    assert all(changed)
    vae.save(tmp_path / "a.keras")
    loaded = keras.saving.load_model(tmp_path / "a.keras")
    z = np.random.default_rng(1).normal(size=(9, 4)).astype(np.float32)
    np.testing.assert_array_equal(loaded.prior.log_prob(z), vae.prior.log_prob(z))
    np.testing.assert_array_equal(loaded.prior.sample(5, 0), vae.prior.sample(5, 0))
    # The encoder stands once among the weights.
    names = [weight.path for weight in vae.trainable_variables]
    assert len(set(names)) == len(names) == len(loaded.trainable_variables)


def test_a_flow_needs_two_latents():
    with pytest.raises(UserError, match="--prior flow needs at least two latents"):
        vae_keras.build_vae((32, 32, 1), 1, prior="flow")
    assert set(PRIORS) == {"standard", "vamp", "flow"}
