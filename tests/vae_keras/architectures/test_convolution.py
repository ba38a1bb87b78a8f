import keras
import numpy as np
import pytest
import tensorflow as tf

from vae_keras.architectures.convolution import Conv2D


def outputs_and_gradients(layer, images, upstream):
    images = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(images)
        outputs = layer(images)
    kernel, bias = layer.trainable_variables
    return [outputs, *tape.gradient(outputs, [images, kernel.value, bias.value], output_gradients=upstream)]


@pytest.mark.parametrize(
    "sizes",
    [
        {"filters": 1, "kernel_size": 3, "padding": "same"},
        {"filters": 3, "kernel_size": (3, 5), "padding": "same"},
        {"filters": 2, "kernel_size": 1, "padding": "same"},
        {"filters": 2, "kernel_size": 4, "padding": "same"},
        {"filters": 2, "kernel_size": 3, "padding": "same", "strides": 2},
        {"filters": 2, "kernel_size": 3, "padding": "valid"},
    ],
)
def test_it_computes_what_keras_computes_and_so_do_its_gradients(sizes):
    random = np.random.default_rng(0)
    images = random.normal(size=(3, 10, 12, 4)).astype(np.float32)
    ours, theirs = Conv2D(**sizes), keras.layers.Conv2D(**sizes)
    shape = theirs(images).shape
    ours.build(images.shape)
    ours.set_weights(theirs.get_weights())
    upstream = tf.constant(random.normal(size=shape).astype(np.float32))
    results = (outputs_and_gradients(layer, images, upstream) for layer in (ours, theirs))
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-4)


def test_it_is_a_conv2d_by_name_and_kind_and_survives_saving(tmp_path):
    model = keras.Sequential([keras.Input((8, 8, 2)), Conv2D(1, 3, padding="same")])
    model.save(tmp_path / "model.keras")
    (layer,) = keras.saving.load_model(tmp_path / "model.keras").layers
    assert isinstance(layer, keras.layers.Conv2D)
    assert type(layer).__name__ == "Conv2D"
    np.testing.assert_array_equal(layer.kernel, model.layers[0].kernel)
