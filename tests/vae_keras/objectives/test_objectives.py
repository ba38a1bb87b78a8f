"""Objectives against each other: each is the plain VAE at its neutral setting, and prices what it says it prices."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

import vae_keras
from vae_keras.gaussians import kl_to_standard_normal
from vae_keras.objectives import OBJECTIVES, AnnealedVAE, BetaTCVAE, BetaVAE, FactorVAE, NegativeElbo
from vae_keras.priors import StandardNormal
from vae_keras.types import ElboTerms, Forward, NoAuxiliary, Posterior

BATCH, LATENTS, IMAGES = 6, 3, 50

terms = st.builds(
    ElboTerms, *(st.lists(st.floats(0, 1e4), min_size=3, max_size=3).map(np.array) for _ in ElboTerms._fields)
)
NOTHING = np.zeros((3, LATENTS), np.float32)
forwards = terms.map(
    lambda terms: Forward(terms, Posterior(NOTHING, NOTHING), NOTHING, StandardNormal(4), NoAuxiliary(), 0.0, IMAGES)
)


def forward_of(seed, auxiliary=None):
    """A batch on its way through a model whose posteriors are drawn at random."""
    random = np.random.default_rng(seed)
    posterior = Posterior(*(random.normal(size=(2, BATCH, LATENTS)).astype(np.float32)))
    latents = posterior.mean + np.exp(0.5 * posterior.log_variance) * random.normal(size=(BATCH, LATENTS))
    kl = np.sum(kl_to_standard_normal(posterior), axis=-1)
    terms = ElboTerms(random.uniform(100, 200, BATCH).astype(np.float32), kl)
    return Forward(terms, posterior, latents.astype(np.float32), StandardNormal(4), auxiliary, np.float32(2.0), IMAGES)


@given(forwards)
def test_the_plain_loss_is_the_negative_elbo(forward):
    np.testing.assert_allclose(NegativeElbo().loss(forward).per_image, -forward.terms.elbo)
    nll, kl = forward.terms
    np.testing.assert_allclose(forward.terms.elbo, -nll - kl)


@given(forwards, st.floats(0.1, 100))
def test_beta_prices_the_kl_alone(forward, beta):
    extra = BetaVAE(beta).loss(forward).per_image - NegativeElbo().loss(forward).per_image
    np.testing.assert_allclose(extra, (beta - 1) * forward.terms.kl, rtol=1e-6, atol=1e-6)


NEUTRAL = [BetaVAE(1.0), BetaTCVAE(1.0), BetaTCVAE(1.0, estimator="weighted"), FactorVAE(0.0)]


@pytest.mark.parametrize("objective", NEUTRAL, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_at_its_neutral_setting_the_loss_is_the_plain_one_to_rounding(objective, seed):
    forward = forward_of(seed, objective.auxiliary(LATENTS, seed))
    expected = NegativeElbo().loss(forward).per_image
    np.testing.assert_allclose(objective.loss(forward).per_image, expected, rtol=1e-6)


def test_no_capacity_at_the_price_of_one_is_the_plain_vae_on_the_mean():
    # |mean KL - 0| = mean KL: batch by batch the same loss, image by image not.
    forward = forward_of(0)
    loss = AnnealedVAE(capacity=0.0, gamma=1.0).loss(forward).per_image
    np.testing.assert_allclose(np.mean(loss), np.mean(-forward.terms.elbo), rtol=1e-6)


@pytest.mark.parametrize("estimator", ["stratified", "weighted"])
def test_the_parts_with_equal_weights_are_a_kl_of_one_sample_whose_mean_is_the_kl_in_closed_form(estimator):
    # With all three parts estimated they telescope to log q(z | x) - log p(z): in expectation, the KL.
    random, repeats = np.random.default_rng(1), 300
    mean, log_variance = random.normal(size=(2, BATCH, LATENTS))
    objective, sums = BetaTCVAE(estimator=estimator), []
    for noise in random.normal(size=(repeats, BATCH, LATENTS)):
        z = mean + np.exp(0.5 * log_variance) * noise
        terms = ElboTerms(np.zeros(BATCH), np.zeros(BATCH))
        forward = forward_of(0)._replace(terms=terms, posterior=Posterior(mean, log_variance), latents=z)
        total = sum(np.asarray(part) for part in objective.loss(forward).parts.values())
        # log N(z; mean, variance) - log N(z; 0, I)
        one_sample = 0.5 * np.sum(z**2 - noise**2 - log_variance, axis=1)
        np.testing.assert_allclose(total, one_sample, rtol=1e-9)
        sums.append(np.mean(one_sample))
    kl = np.mean(np.sum(kl_to_standard_normal(Posterior(mean, log_variance)), axis=-1))
    assert np.mean(sums) == pytest.approx(kl, abs=5 * np.std(sums) / np.sqrt(repeats))


def test_the_weights_price_the_parts_they_are_named_after():
    forward = forward_of(3)
    parts = BetaTCVAE().loss(forward).parts
    for weight, part in (
        ("beta", "total_correlation"),
        ("mutual_information_weight", "mutual_information"),
        ("dimension_wise_weight", "dimension_wise_kl"),
    ):
        neutral = BetaTCVAE(beta=1.0)
        dear = dataclasses.replace(neutral, **{weight: 3.0})
        extra = dear.loss(forward).per_image - neutral.loss(forward).per_image
        np.testing.assert_allclose(extra, 2.0 * parts[part], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("epoch", "share"), [(0.0, 0.0), (1.0, 0.25), (4.0, 1.0), (9.0, 1.0)])
def test_a_warm_up_rises_linearly_and_then_stays(epoch, share):
    forward = forward_of(4)._replace(epoch=np.float32(epoch))
    nll, kl = forward.terms
    warmed = BetaVAE(8.0, warm_up=4.0).loss(forward)
    np.testing.assert_allclose(warmed.per_image, nll + 8.0 * share * kl, rtol=1e-6)
    assert float(warmed.parts["beta"]) == pytest.approx(8.0 * share)
    annealed = AnnealedVAE(10.0, 7.0, warm_up=4.0).loss(forward)
    np.testing.assert_allclose(annealed.per_image, nll + 7.0 * abs(np.mean(kl) - 10.0 * share), rtol=1e-6)
    assert float(annealed.parts["capacity"]) == pytest.approx(10.0 * share)


def test_the_capacity_is_compared_with_the_mean_kl_not_image_by_image():
    kl = np.array([0.0, 20.0], np.float32)
    forward = forward_of(0)._replace(terms=ElboTerms(np.zeros(2, np.float32), kl))
    np.testing.assert_array_equal(AnnealedVAE(capacity=10.0, gamma=5.0).loss(forward).per_image, [0.0, 0.0])


def test_the_factor_vae_pays_the_discriminators_logit():
    objective = FactorVAE(gamma=3.0)
    forward = forward_of(5, objective.auxiliary(LATENTS, 0))
    logit = np.asarray(forward.auxiliary(forward.latents))
    assert np.std(logit) > 0
    extra = objective.loss(forward).per_image + forward.terms.elbo
    np.testing.assert_allclose(extra, 3.0 * logit, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_gradients_of_the_objective_reach_encoder_and_decoder_and_nothing_else(name):
    objective = OBJECTIVES[name]()
    vae = vae_keras.build_vae((32, 32, 1), LATENTS, objective=objective, training_images=IMAGES)
    images = np.random.default_rng(0).random((4, 32, 32, 1)).astype(np.float32)
    with tf.GradientTape() as tape:
        loss = ops.mean(objective.loss(vae.forward(images, training=True)).per_image)
    gradients = tape.gradient(loss, vae.trainable_variables)
    assert len(gradients) == len(vae.encoder.trainable_variables) + len(vae.decoder.trainable_variables)
    assert all(np.any(np.asarray(gradient) != 0) for gradient in gradients)


def test_an_objective_that_depends_on_the_number_of_images_asks_for_it():
    for objective in (BetaTCVAE(), BetaVAE(warm_up=1.0), AnnealedVAE(warm_up=1.0)):
        with pytest.raises(ValueError, match="pass training_images"):
            vae_keras.build_vae((32, 32, 1), LATENTS, objective=objective)
    vae_keras.build_vae((32, 32, 1), LATENTS, objective=BetaVAE(3.0))


def test_an_objective_is_a_frozen_value():
    assert BetaVAE(2.0) == BetaVAE(2.0) != BetaVAE(3.0)
    with pytest.raises(AttributeError):
        BetaVAE(2.0).beta = 3.0
