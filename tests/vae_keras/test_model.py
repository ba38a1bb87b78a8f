"""The VAE against what can be computed exactly: a linear-Gaussian model, finite differences, itself after saving."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from tensorflow_probability import distributions as tfd

import vae_keras
from common.errors import UserError
from data.pipelines import evaluation_batches
from tests.vae_keras.support_linear import PIXELS, linear_model, linear_vae
from vae_keras.likelihoods import LIKELIHOODS
from vae_keras.objectives import BetaTCVAE, BetaVAE, FactorVAE


@pytest.fixture(scope="module", name="linear_model")
def the_linear_model():
    return linear_model()


def elbo_of_many(vae, image, repeats=40_000):
    """The ELBO of one image with its standard error, from that many noise draws in one batch."""
    batch = np.repeat(image.reshape(1, PIXELS, 1, 1), repeats, axis=0).astype(np.float32)
    elbo = np.asarray(vae.elbo_terms(batch).elbo, float)
    return elbo.mean(), elbo.std() / np.sqrt(repeats)


def test_the_elbo_is_the_log_evidence_where_q_is_the_true_posterior(linear_model):
    weights, offset, posterior_weights, posterior_variances, evidence = linear_model
    vae = linear_vae(weights, offset, posterior_weights, posterior_variances)
    image = np.asarray(evidence.sample(seed=(0, 0)))
    elbo, standard_error = elbo_of_many(vae, image)
    assert standard_error < 0.01
    assert abs(elbo - float(evidence.log_prob(image))) < 5 * standard_error


@pytest.mark.parametrize(("scale", "widening"), [(0.8, 1.0), (1.0, 2.0), (1.3, 0.5)])
def test_elsewhere_the_gap_is_the_kl_to_the_true_posterior(linear_model, scale, widening):
    weights, offset, posterior_weights, posterior_variances, evidence = linear_model
    vae = linear_vae(weights, offset, scale * posterior_weights, widening * posterior_variances)
    image = np.asarray(evidence.sample(seed=(0, 2)))
    elbo, standard_error = elbo_of_many(vae, image)
    mean = posterior_weights @ (image - offset)
    q = tfd.MultivariateNormalDiag(scale * mean, np.sqrt(widening * posterior_variances))
    true = tfd.MultivariateNormalDiag(mean, np.sqrt(posterior_variances))
    gap = float(tfd.kl_divergence(q, true))
    assert gap > 0.05
    assert float(evidence.log_prob(image)) - elbo == pytest.approx(gap, abs=5 * standard_error + 1e-3)


@pytest.fixture
def double_precision():
    keras.config.set_floatx("float64")
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy(policy)


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_gradients_agree_with_finite_differences(double_precision, likelihood):
    vae = vae_keras.build_vae((32, 32, 1), 3, likelihood=likelihood, objective=BetaVAE(2.5))
    images = np.random.default_rng(0).random((2, 32, 32, 1))
    noise = np.asarray(vae.sampling.seed_generator.state)

    def loss():
        vae.sampling.seed_generator.state.assign(noise)
        return ops.mean(vae.objective.loss(vae.forward(images)).per_image)

    with tf.GradientTape() as tape:
        value = loss()
    gradients = tape.gradient(value, vae.trainable_variables)
    random = np.random.default_rng(1)
    for weight, gradient in zip(vae.trainable_variables, gradients, strict=True):
        original = np.asarray(weight)
        direction = random.normal(size=original.shape)
        direction /= np.linalg.norm(direction)
        step = 1e-6
        sides = []
        for sign in (1, -1):
            weight.assign(original + sign * step * direction)
            sides.append(float(loss()))
        weight.assign(original)
        numerical = (sides[0] - sides[1]) / (2 * step)
        assert float(np.sum(gradient * direction)) == pytest.approx(numerical, rel=1e-4, abs=1e-6), weight.path


@pytest.fixture
def images():
    return np.random.default_rng(0).random((10, 32, 32, 1)).astype(np.float32)


def compiled(**options):
    vae = vae_keras.build_vae((32, 32, 1), 4, **options)
    vae.compile(optimizer=keras.optimizers.Adam(1e-3), jit_compile=False)
    return vae


def test_a_training_step_descends_and_reports_per_image_means(images):
    vae = compiled()
    first = vae.train_on_batch(images, return_dict=True)
    for _ in range(30):
        last = vae.train_on_batch(images, return_dict=True)
    assert last["loss"] < first["loss"]
    assert first["loss"] == pytest.approx(-first["elbo"], rel=1e-6)
    assert first["elbo"] == pytest.approx(-first["reconstruction_nll"] - first["kl"], rel=1e-6)
    # An untrained Bernoulli decoder is near p = 1/2: ln 2 for each of 1,024 pixels.
    assert first["reconstruction_nll"] == pytest.approx(1024 * math.log(2), rel=0.05)


def test_a_step_is_traced_once(images, monkeypatch):
    vae, traced = compiled(), []
    step = vae.train_step
    monkeypatch.setattr(vae, "train_step", lambda data: traced.append(data) or step(data))
    vae.fit(evaluation_batches(images, 4), epochs=2, verbose=0, shuffle=False)
    assert len(traced) == 1


def test_reported_means_count_every_image_once_however_they_are_batched(images):
    vae = compiled()
    kls = []
    for size in (10, 3, 4):
        vae.reset_metrics()
        kls.append(
            vae.evaluate(tf.data.Dataset.from_tensor_slices(images).batch(size), verbose=0, return_dict=True)["kl"]
        )
    assert kls == pytest.approx([kls[0]] * 3, rel=1e-5)


def test_the_objective_is_what_the_step_minimises(images):
    plain, dear = compiled(), compiled(objective=BetaVAE(50.0))
    for vae in (plain, dear):
        for _ in range(40):
            terms = vae.train_on_batch(images, return_dict=True)
        vae.kl_after = terms["kl"]
    assert dear.kl_after < plain.kl_after
    terms = dear.test_on_batch(images, return_dict=True)
    assert terms["loss"] == pytest.approx(terms["reconstruction_nll"] + 50 * terms["kl"], rel=1e-6)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_fewer_bits_change_the_terms_by_rounding_and_keep_the_weights_in_float32(images, precision):
    exact, rounded = (vae_keras.build_vae((32, 32, 1), 4, "deep", precision=bits) for bits in ("float32", precision))
    assert keras.config.dtype_policy().name == "float32"
    assert {weight.dtype for weight in rounded.trainable_weights} == {"float32"}
    assert {layer.compute_dtype for layer in rounded.encoder.layers + rounded.decoder.layers} == {precision}
    terms, other = exact.elbo_terms(images), rounded.elbo_terms(images)
    assert other.reconstruction_nll.dtype == tf.float32
    assert np.any(np.asarray(terms.kl) != np.asarray(other.kl))
    np.testing.assert_allclose(other.reconstruction_nll, terms.reconstruction_nll, rtol=1e-2)
    np.testing.assert_allclose(other.kl, terms.kl, rtol=0.1)


@pytest.fixture
def mixed_policy():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy(policy)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("objective", [BetaVAE(2.0), BetaTCVAE(), FactorVAE()], ids=str)
def test_under_a_mixed_policy_of_keras_the_densities_are_those_of_the_same_precision_by_name(
    images, mixed_policy, tmp_path, likelihood, objective
):
    made = {"likelihood": likelihood, "objective": objective, "training_images": 100}
    by_policy, named = (vae_keras.build_vae((32, 32, 1), 4, precision=bits, **made) for bits in (None, "float16"))
    by_policy.save(tmp_path / "vae.keras")
    terms = []
    for vae in (by_policy, named, keras.saving.load_model(tmp_path / "vae.keras")):
        assert {layer.compute_dtype for layer in vae.encoder.layers + vae.decoder.layers} == {"float16"}
        assert {weight.dtype for weight in vae.trainable_weights} == {"float32"}
        forward = vae.forward(images)
        loss = vae.objective.loss(forward)
        values = [*forward.terms, *forward.posterior, forward.latents, loss.per_image, *loss.parts.values()]
        assert {ops.convert_to_tensor(value).dtype for value in values} == {tf.float32}
        assert vae(images).dtype == tf.float32
        terms.append([np.asarray(value) for value in values])
    # float32 from the logits on, so equal to the last bit and not to half precision.
    for by_policy_value, *others in zip(*terms, strict=True):
        for other in others:
            np.testing.assert_array_equal(by_policy_value, other)


def test_where_layers_compute_in_float16_the_loss_is_scaled_however_that_was_asked_for(mixed_policy, tmp_path):
    scaled = keras.optimizers.LossScaleOptimizer
    for precision, expected in ((None, True), ("float16", True), ("bfloat16", False), ("float32", False)):
        vae = compiled(precision=precision)
        assert isinstance(vae.optimizer, scaled) == expected
        vae.optimizer.build(vae.trainable_variables)
        vae.save(tmp_path / "vae.keras")
        loaded = keras.saving.load_model(tmp_path / "vae.keras").optimizer
        assert isinstance(loaded, scaled) == expected
        assert not isinstance(getattr(loaded, "inner_optimizer", None), scaled)


def test_a_saved_model_goes_on_as_if_it_had_not_been_saved(images, tmp_path):
    vae = compiled(likelihood="gaussian", objective=BetaVAE(3.0))
    vae.train_on_batch(images)
    vae.save(tmp_path / "vae.keras")
    loaded = keras.saving.load_model(tmp_path / "vae.keras")
    assert (loaded.likelihood, loaded.objective) == (vae.likelihood, vae.objective)
    for _ in range(2):
        assert vae.train_on_batch(images) == loaded.train_on_batch(images)
    for ours, theirs in zip(vae.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_model_without_a_count_of_images_can_still_be_loaded(images, tmp_path, monkeypatch):
    vae = compiled()
    vae.train_on_batch(images)
    assert int(vae.images_seen) == len(images)
    monkeypatch.setattr(vae_keras.VAE, "save_own_variables", lambda self, store: None)
    vae.save(tmp_path / "old.keras")
    loaded = keras.saving.load_model(tmp_path / "old.keras")
    assert int(loaded.images_seen) == 0
    assert vae.train_on_batch(images, return_dict=True) == loaded.train_on_batch(images, return_dict=True)


def test_calling_the_model_reconstructs_from_the_posterior_mean(images):
    vae = compiled()
    np.testing.assert_allclose(vae(images), vae.decode(vae.encode(images).mean), rtol=1e-5)


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(UserError, match="did you mean table"):
        vae_keras.build_vae((32, 32, 1), architecture="tabel")
    with pytest.raises(UserError, match="did you mean gaussian"):
        vae_keras.build_vae((32, 32, 1), likelihood="gausian")
