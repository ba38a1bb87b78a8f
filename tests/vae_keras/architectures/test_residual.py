import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

import vae_keras
from common.errors import UserError
from vae_keras.architectures import Residual
from vae_keras.likelihoods import LearnedGaussian


@pytest.fixture
def images():
    return np.random.default_rng(0).random((8, 32, 32, 3)).astype(np.float32)


def with_active_blocks(vae):
    """The same model; the convolutions that start at zero have other weights, as they have after some steps."""
    random = np.random.default_rng(2)
    for layer in (*vae.encoder.layers, *vae.decoder.layers):
        if isinstance(layer, layers.Conv2D) and not np.any(layer.kernel):
            layer.kernel.assign(random.normal(0, 0.05, layer.kernel.shape))
    return vae


def kernels(model):
    return [layer.kernel_size for layer in model.layers if hasattr(layer, "kernel_size")]


@pytest.mark.parametrize("shape", [(32, 32, 3), (48, 64, 1)])
@pytest.mark.parametrize("film", [True, False])
def test_shapes_go_in_and_come_out(shape, film):
    vae = vae_keras.build_vae(shape, 5, Residual(film=film))
    posterior = vae.encode(np.zeros((2, *shape), np.float32))
    assert posterior.mean.shape == (2, 5)
    assert vae.decode(posterior.mean).shape == (2, *shape)
    with pytest.raises(UserError, match="--image-size 40 must be"):
        vae_keras.build_vae((40, 40, 1), architecture="residual")


@pytest.mark.parametrize("blocks", [1, 2])
def test_blocks_stand_at_three_scales_of_both_halves(blocks):
    vae = vae_keras.build_vae((64, 64, 3), 24, Residual(blocks=blocks))
    block = 2 * blocks * [(3, 3)]
    assert kernels(vae.encoder) == [(4, 4), *block, (2, 2), *block, (2, 2), *block]
    assert kernels(vae.decoder) == [*block, (2, 2), *block, (2, 2), *block, (4, 4)]


def test_half_a_million_weights():
    vae = vae_keras.build_vae((64, 64, 3), 24, "residual")
    assert 300_000 < vae.encoder.count_params() + vae.decoder.count_params() < 500_000


def test_the_decoder_starts_as_an_affine_map():
    decoder = vae_keras.build_vae((32, 32, 3), 4, "residual").decoder
    one, other = np.random.default_rng(1).normal(size=(2, 6, 4)).astype(np.float32)
    at_zero = decoder(np.zeros_like(one))
    expected = decoder(one) + decoder(other) - at_zero
    assert np.abs(decoder(one) - at_zero).max() > 0.01
    np.testing.assert_allclose(decoder(one + other), expected, atol=1e-6)


def test_latents_reach_every_block_of_the_decoder(images):
    vae = with_active_blocks(vae_keras.build_vae((32, 32, 3), 4, "residual"))
    dense = [layer for layer in vae.decoder.layers if isinstance(layer, layers.Dense)][1:]
    assert len(dense) == 2 * len(Residual.filters)  # scale and shift of each block
    z = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)
    before = vae.decode(z)
    for layer in dense:  # at the start they are zero, and the block is a plain one
        assert not np.any(layer.kernel)
        layer.kernel.assign(np.full(layer.kernel.shape, 0.3))
        after = vae.decode(z)
        assert np.abs(after - before).max() > 1e-4
        before = after


def test_the_scale_of_a_block_is_bounded():
    vae = with_active_blocks(vae_keras.build_vae((32, 32, 1), 4, "residual"))
    for layer in vae.decoder.layers:
        if isinstance(layer, layers.Dense) and layer.activation is keras.activations.tanh:
            layer.kernel.assign(np.full(layer.kernel.shape, 1e6))
    z = np.random.default_rng(1).normal(size=(64, 4)).astype(np.float32)
    # (1 + tanh) is at most 2 in each of three blocks.
    assert np.isfinite(vae.decoder(z)).all()
    plain = with_active_blocks(vae_keras.build_vae((32, 32, 1), 4, "residual")).decoder(z)
    assert np.abs(vae.decoder(z)).max() < 2**6 * np.abs(plain).max()


def test_training_moves_every_weight_and_the_saved_model_computes_the_same(images, tmp_path):
    vae = with_active_blocks(vae_keras.build_vae((32, 32, 3), 4, "residual", LearnedGaussian()))
    with tf.GradientTape() as tape:
        loss = ops.mean(vae.objective.loss(vae.forward(images, training=True)).per_image)
    for weight, gradient in zip(vae.trainable_variables, tape.gradient(loss, vae.trainable_variables), strict=True):
        assert np.any(gradient), weight.path
    vae.save(tmp_path / "vae.keras")
    loaded = keras.saving.load_model(tmp_path / "vae.keras")
    np.testing.assert_array_equal(loaded(images), vae(images))


def test_it_learns_what_random_weights_do_not(images):
    vae = vae_keras.build_vae((32, 32, 3), 8, "residual", LearnedGaussian())
    vae.compile(keras.optimizers.Adam(3e-3), jit_compile=False)
    # The best ELBO without latents, for noise that is uniform on [0, 1]: -1/2 log(2 pi e / 12) for each pixel
    without_latents = -0.5 * images[0].size * np.log(2 * np.pi * np.e / 12)
    vae.fit(np.repeat(images, 8, axis=0), batch_size=32, epochs=15, verbose=0, shuffle=False)
    assert vae.evaluate(images, verbose=0, return_dict=True)["elbo"] > without_latents + 300


@pytest.mark.parametrize("seed", [0, 3])
def test_the_same_seed_gives_the_same_weights(seed):
    first, second = (vae_keras.build_vae((32, 32, 1), 4, "residual", seed=seed) for _ in range(2))
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
