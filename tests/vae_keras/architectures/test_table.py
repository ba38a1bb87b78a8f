import keras
import numpy as np
import pytest
from keras import layers

import vae_keras
from common.errors import UserError

ENCODER = [layers.Conv2D, layers.Conv2D, layers.Flatten, layers.Dense]
DECODER = [layers.Dense, layers.Reshape, layers.Conv2DTranspose, layers.Conv2D]


def activations(model):
    return [layer.activation.__name__ if hasattr(layer, "activation") else None for layer in model.layers]


def test_layers_and_activations_are_those_of_the_table():
    vae = vae_keras.build_vae((32, 32, 1), 4)
    assert [type(layer) for layer in vae.encoder.layers] == ENCODER
    assert activations(vae.encoder) == ["relu", "linear", None, "linear"]
    assert [layer.__class__.__name__ for layer in vae.decoder.layers] == [kind.__name__ for kind in DECODER]
    assert all(isinstance(layer, kind) for layer, kind in zip(vae.decoder.layers, DECODER, strict=True))
    assert activations(vae.decoder) == ["linear", None, "relu", "linear"]


@pytest.mark.parametrize("shape", [(32, 32, 3), (48, 48, 1), (64, 32, 1), (128, 128, 1)])
def test_shapes_go_in_and_come_out(shape):
    vae = vae_keras.build_vae(shape, latent_dim=5)
    images = np.zeros((2, *shape), np.float32)
    posterior = vae.encode(images)
    assert posterior.mean.shape == posterior.log_variance.shape == (2, 5)
    assert vae.decoder(posterior.mean).shape == images.shape
    decoded = np.asarray(vae.decode(posterior.mean))
    assert decoded.shape == images.shape
    assert decoded.min() >= 0
    assert decoded.max() <= 1
    assert (vae.image_shape, vae.latent_dim) == (shape, 5)


@pytest.mark.parametrize("size", [16, 40, 100])
def test_other_sizes_are_refused_in_words(size):
    with pytest.raises(UserError, match="multiple of 16 from 32 to"):
        vae_keras.build_vae((size, size, 1))


def test_every_output_pixel_is_covered_by_the_same_number_of_patches():
    # A kernel of twice the stride: no pixel is painted by fewer patches than its neighbours, so no seams.
    (transposed,) = [
        layer for layer in vae_keras.build_vae((64, 64, 1)).decoder.layers if isinstance(layer, layers.Conv2DTranspose)
    ]
    ones = keras.Sequential(
        [keras.Input((16, 16, 1)), layers.Conv2DTranspose(1, transposed.kernel_size, transposed.strides, "same")]
    )
    ones.layers[0].set_weights([np.ones((*transposed.kernel_size, 1, 1)), np.zeros(1)])
    covered = np.asarray(ones(np.ones((1, 16, 16, 1), np.float32)))[0, 8:-8, 8:-8]
    np.testing.assert_array_equal(covered, np.full_like(covered, covered[0, 0, 0]))


def test_the_seed_decides_the_weights():
    first, again, other = (vae_keras.build_vae((32, 32, 1), 4, seed=seed).get_weights() for seed in (1, 1, 2))
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    assert any(np.any(one != two) for one, two in zip(first, other, strict=True))
