import keras
import numpy as np
import pytest
from keras import layers

import vae_keras
from common.errors import UserError
from vae_keras.architectures import Deep
from vae_keras.seeded_layers import BatchNormalization, Dropout


def kinds(model):
    return [type(layer) for layer in model.layers]


def filters(model):
    return [layer.filters for layer in model.layers if hasattr(layer, "filters")]


@pytest.fixture
def images():
    return np.random.default_rng(0).random((8, 32, 32, 3)).astype(np.float32)


def test_layers_and_filters_are_those_of_the_hand_out():
    vae = vae_keras.build_vae((128, 128, 3), 32, "deep")
    convolution, transposed = [layers.Conv2D, layers.ReLU], [layers.Conv2DTranspose, layers.ReLU]
    assert kinds(vae.encoder) == [*4 * convolution, layers.Flatten, layers.Dense, layers.Dense]
    assert kinds(vae.decoder) == [
        layers.Dense, layers.Dense, layers.Reshape, *3 * transposed, layers.Conv2DTranspose,
    ]  # fmt: skip
    assert filters(vae.encoder) == [32, 64, 64, 64]
    assert filters(vae.decoder) == [64, 64, 32, 3]
    hidden, heads = vae.encoder.layers[-2:]
    assert (hidden.input.shape[-1], hidden.units, heads.units) == (4096, 256, 64)
    assert [layer.activation.__name__ for layer in (hidden, heads, *vae.decoder.layers[:2])] == [
        "relu", "linear", "relu", "relu",
    ]  # fmt: skip


def test_options_stand_in_the_hidden_convolutions_of_both_halves():
    vae = vae_keras.build_vae((32, 32, 1), 4, Deep(hidden_size=16, batch_normalization=True, dropout=0.1))
    block = [BatchNormalization, layers.ReLU, Dropout]
    assert kinds(vae.encoder)[:16] == 4 * [layers.Conv2D, *block]
    assert kinds(vae.decoder)[3:] == [*3 * [layers.Conv2DTranspose, *block], layers.Conv2DTranspose]
    assert vae.encoder.layers[-2].units == vae.decoder.layers[0].units == 16


@pytest.mark.parametrize("shape", [(32, 32, 3), (48, 64, 1)])
def test_shapes_go_in_and_come_out(shape):
    vae = vae_keras.build_vae(shape, 5, "deep")
    posterior = vae.encode(np.zeros((2, *shape), np.float32))
    assert posterior.mean.shape == (2, 5)
    assert vae.decode(posterior.mean).shape == (2, *shape)
    with pytest.raises(UserError, match="--image-size 40 must be"):
        vae_keras.build_vae((40, 40, 1), architecture="deep")


def test_dropout_and_batch_statistics_act_in_training_only(images):
    vae = vae_keras.build_vae((32, 32, 3), 4, Deep(batch_normalization=True, dropout=0.5), seed=1)
    for dropped in (False, True):
        once, again = (np.asarray(vae.encode(images, training=dropped).mean) for _ in range(2))
        assert (np.abs(once - again).max() > 1e-3) == dropped
    # Normalised by the batch, an image's code depends on its company; by the moving averages it does not.
    plain = vae_keras.build_vae((32, 32, 3), 4, Deep(batch_normalization=True))
    for by_batch in (False, True):
        alone = plain.encode(images[:2], training=by_batch).mean
        in_company = plain.encode(images, training=by_batch).mean[:2]
        assert (np.abs(alone - in_company).max() > 1e-3) == by_batch


def test_training_moves_the_batch_statistics_and_evaluation_does_not(images):
    vae = vae_keras.build_vae((32, 32, 3), 4, Deep(batch_normalization=True))
    vae.compile(optimizer=keras.optimizers.Adam(1e-3), jit_compile=False)
    averages = [weight for weight in vae.non_trainable_weights if "moving_mean" in weight.path]
    assert len(averages) == 7
    vae.evaluate(images, verbose=0)
    assert all(not np.any(average) for average in averages)
    vae.train_on_batch(images)
    assert all(np.any(average) for average in averages)


def test_a_saved_model_goes_on_with_the_same_dropout(images, tmp_path):
    vae = vae_keras.build_vae((32, 32, 3), 4, Deep(batch_normalization=True, dropout=0.3), "learned_gaussian")
    vae.compile(optimizer=keras.optimizers.Adam(1e-3), jit_compile=False)
    vae.train_on_batch(images)
    vae.save(tmp_path / "vae.keras")
    loaded = keras.saving.load_model(tmp_path / "vae.keras")
    for _ in range(2):
        assert vae.train_on_batch(images) == loaded.train_on_batch(images)
    assert vae.likelihood.variance == loaded.likelihood.variance


def test_the_two_halves_and_all_their_layers_drop_differently():
    vae = vae_keras.build_vae((32, 32, 1), 4, Deep(dropout=0.3), seed=2)
    seeds = [layer.seed for half in (vae.encoder, vae.decoder) for layer in half.layers if isinstance(layer, Dropout)]
    assert len(set(seeds)) == 7
