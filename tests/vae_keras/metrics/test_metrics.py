import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import vae_keras
from vae_keras import metrics


def test_the_elbo_is_the_mean_over_images_of_what_the_model_says():
    vae = vae_keras.build_vae((32, 32, 1), 4, likelihood="gaussian")
    vae.compile(optimizer=keras.optimizers.Adam(), jit_compile=False)
    images = np.random.default_rng(0).integers(0, 256, (9, 32, 32, 1), dtype=np.uint8)
    state = np.asarray(vae.sampling.seed_generator.state)
    ours = metrics.elbo(vae, images)
    vae.sampling.seed_generator.state.assign(state)
    terms = vae.elbo_terms(tf.cast(images, tf.float32) / 255.0)
    assert ours.elbo == pytest.approx(float(np.mean(terms.elbo)), rel=1e-5)
    assert ours.kl == pytest.approx(float(np.mean(terms.kl)), rel=1e-5)
    assert ours.elbo == pytest.approx(-ours.reconstruction_nll - ours.kl, rel=1e-6)


def test_a_uniform_density_costs_eight_bits_a_pixel():
    # The uniform density on [0, 1] has log-density 0 everywhere; 256 levels of equal chance are 8 bits.
    assert metrics.bits_per_dimension(0.0, (4, 4, 3)) == 8
    # Twice the density everywhere on half the interval saves one bit.
    assert metrics.bits_per_dimension(48 * math.log(2), (4, 4, 3)) == pytest.approx(7)


def test_an_image_without_error_leaves_the_mean_psnr_finite():
    original = np.full((2, 4, 4, 1), 0.5, np.float32)
    rounded = np.stack([original[0], original[1] + 0.1])
    assert metrics.psnr(original, rounded) == pytest.approx((58.92 + 20) / 2, abs=0.01)


def test_psnr_of_a_known_error():
    original = np.full((2, 16, 16, 1), 0.5, np.float32)
    assert metrics.psnr(original, original + 0.1) == pytest.approx(20, abs=1e-3)


def test_ssim_is_one_for_the_same_image_and_falls_with_noise():
    random = np.random.default_rng(0)
    original = random.random((2, 32, 32, 1)).astype(np.float32)
    assert metrics.ssim(original, original) == pytest.approx(1, abs=1e-5)
    noise = random.normal(size=original.shape)
    noisy = [metrics.ssim(original, (original + scale * noise).astype(np.float32)) for scale in (0.1, 0.3)]
    assert 1 > noisy[0] > noisy[1]


@pytest.mark.parametrize("shape", [(3, 32, 32, 1), (2, 11, 17, 3), (200, 16, 12, 3)])
def test_ssim_is_that_of_tensorflow(shape):
    random = np.random.default_rng(1)
    smooth = random.random((shape[0], 1, 1, shape[3])) * np.linspace(0, 1, shape[2])[:, None]
    original = np.broadcast_to(smooth, shape).astype(np.float32)
    changed = np.clip(0.8 * original + random.normal(0.1, 0.05, shape), 0, 1).astype(np.float32)
    expected = np.mean(tf.image.ssim(original, changed, max_val=1.0))
    assert 0.1 < expected < 0.99
    assert metrics.ssim(original, changed) == pytest.approx(expected, abs=2e-6)


def test_active_units_are_those_whose_mean_varies_with_the_image():
    means = np.random.default_rng(0).normal(size=(5000, 4)) * [1.0, 0.2, 0.05, 0.0]
    assert metrics.active_units(means + np.array([0, 5, 5, 5])) == 2
