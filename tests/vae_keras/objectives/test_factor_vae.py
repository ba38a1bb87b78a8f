"""The discriminator: what it is shown, what it learns, and that it goes on after being saved."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import vae_keras
from vae_keras.objectives import FactorVAE
from vae_keras.objectives import discriminator as module
from vae_keras.objectives.discriminator import Discriminator
from vae_keras.objectives.permutation import permuted


def test_each_latent_is_permuted_across_the_batch_on_its_own():
    latents = np.arange(60.0).reshape(20, 3)
    shuffled = np.asarray(permuted(latents, keras.random.SeedGenerator(0)))
    # Every column keeps its values, and columns go different ways: rows do not stay together.
    np.testing.assert_array_equal(np.sort(shuffled, axis=0), latents)
    places = shuffled.argsort(axis=0)
    assert len({tuple(column) for column in places.T}) == 3
    again = np.asarray(permuted(latents, keras.random.SeedGenerator(1)))
    assert np.any(again != shuffled)


def test_permuted_latents_are_uncorrelated():
    one = np.random.default_rng(0).normal(size=(4_000, 1)).astype(np.float32)
    latents = np.concatenate([one, one], axis=1)
    shuffled = np.asarray(permuted(latents, 0))
    assert abs(np.corrcoef(shuffled.T)[0, 1]) < 4 / np.sqrt(4_000)


@pytest.fixture(scope="module")
def learnt():
    """A discriminator of two latents of correlation 0.9, and its last reports.

    It has a tenth of the paper's units, so that it learns for long enough to be near its optimum.
    """
    random = np.random.default_rng(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "UNITS", module.UNITS // 10)
        discriminator, covariance = Discriminator(2, seed=0), [[1.0, 0.9], [0.9, 1.0]]
    learn = tf.function(discriminator.learn)
    for rate in (1e-3, 1e-4):
        discriminator.optimizer.learning_rate = rate
        for _ in range(600):
            report = learn(random.multivariate_normal([0, 0], covariance, 256).astype(np.float32))
    fresh = random.multivariate_normal([0, 0], covariance, 5_000).astype(np.float32)
    return discriminator, report, fresh


def test_the_mean_logit_is_the_total_correlation(learnt):
    discriminator, _, fresh = learnt
    logit = np.asarray(discriminator(fresh))
    # -1/2 log(1 - rho^2) nats of two Gaussian latents
    exact = -0.5 * np.log(1 - 0.9**2)
    assert logit.mean() == pytest.approx(exact, abs=0.15)


def test_the_discriminator_reports_how_well_it_does(learnt):
    _, report, _ = learnt
    assert set(report) == {"discriminator_loss", "discriminator_accuracy"}
    assert 0.3 < float(report["discriminator_loss"]) < np.log(2)
    assert 0.65 < float(report["discriminator_accuracy"]) < 0.95


def test_the_discriminators_step_leaves_the_vae_alone_and_the_vaes_the_discriminator():
    vae = vae_keras.build_vae((32, 32, 1), 3, objective=FactorVAE(5.0))
    images = np.random.default_rng(0).random((8, 32, 32, 1)).astype(np.float32)
    ours = [np.array(weight) for weight in vae.trainable_variables]
    theirs = [np.array(weight) for weight in vae.auxiliary.trainable_variables]
    vae.auxiliary.learn(vae.encode(images).mean)
    for before, weight in zip(ours, vae.trainable_variables, strict=True):
        np.testing.assert_array_equal(before, weight)
    after = vae.auxiliary.trainable_variables
    assert any(np.any(before != weight) for before, weight in zip(theirs, after, strict=True))
    vae.compile(optimizer="adam", jit_compile=False)
    vae.optimizer.build(vae.trainable_variables)
    assert len(vae.optimizer.variables) == 2 + 2 * len(ours)


def test_discriminator_optimiser_and_noise_are_saved_with_the_model(tmp_path):
    vae = vae_keras.build_vae((32, 32, 1), 3, objective=FactorVAE(5.0), training_images=24)
    vae.compile(optimizer=keras.optimizers.Adam(1e-3), jit_compile=False)
    images = np.random.default_rng(0).random((8, 32, 32, 1)).astype(np.float32)
    for _ in range(3):
        vae.train_on_batch(images)
    vae.save(tmp_path / "vae.keras")
    loaded = keras.saving.load_model(tmp_path / "vae.keras")
    assert float(loaded.epoch) == 1.0
    for _ in range(2):
        assert vae.train_on_batch(images, return_dict=True) == loaded.train_on_batch(images, return_dict=True)
    state = [np.asarray(v) for v in (*vae.auxiliary.variables, *vae.auxiliary.optimizer.variables)]
    other = [np.asarray(v) for v in (*loaded.auxiliary.variables, *loaded.auxiliary.optimizer.variables)]
    for one, two in zip(state, other, strict=True):
        np.testing.assert_array_equal(one, two)
