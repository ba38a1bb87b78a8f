import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src.backend.common import global_state

import vae_keras
from vae_keras.keras_private import (
    KINDS,
    GradientsOfAllReplicas,
    remember_skipped_attributes,
    without_symbolic_build,
)
from vae_keras.optimizers import Adam


@pytest.fixture
def vae():
    model = vae_keras.build_vae((32, 32, 1), 4)
    model.compile(optimizer=Adam(1e-3), jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    return model


@pytest.fixture
def forgotten():
    """Keras without the lists that an earlier test may have stored."""
    for kind in KINDS:
        global_state.set_global_attribute(f"saving_attr_skiplist_{kind}", None)


@pytest.fixture
def created(monkeypatch):
    """The kinds of object that are created during the test, one entry for each object."""
    kinds = []

    def counting(kind):
        original = kind.__init__

        def created_one(self, *args, **kwargs):
            kinds.append(kind)
            original(self, *args, **kwargs)

        return created_one

    for kind in (keras.layers.Layer, keras.metrics.Metric, keras.optimizers.Optimizer, keras.losses.Loss):
        monkeypatch.setattr(kind, "__init__", counting(kind))
    return kinds


def test_remember_skipped_attributes_keeps_saving_from_creating_objects(vae, forgotten, created, tmp_path):
    remember_skipped_attributes()
    created.clear()
    vae.save(tmp_path / "vae.keras")
    assert not created
    loaded = keras.saving.load_model(tmp_path / "vae.keras")
    assert loaded.optimizer.get_config() == vae.optimizer.get_config()


def test_remember_skipped_attributes_is_needed_because_keras_creates_objects_at_every_save(
    vae, forgotten, created, tmp_path
):
    for _ in range(2):
        created.clear()
        vae.save(tmp_path / "vae.keras")
        assert {keras.layers.Layer, keras.metrics.Metric, keras.optimizers.Optimizer} <= set(created)


def test_gradients_of_all_replicas_are_what_a_step_uses():
    class Doubled(GradientsOfAllReplicas, keras.optimizers.SGD):
        def whole_gradients(self, grads):
            return [None if grad is None else 2 * grad for grad in grads]

    weights = [keras.Variable([1.0]), keras.Variable([1.0])]
    sgd = Doubled(0.1)
    sgd.build(weights)
    sgd.apply([keras.ops.convert_to_tensor([1.0]), keras.ops.convert_to_tensor([2.0])], weights)
    assert [float(weight.numpy()[0]) for weight in weights] == pytest.approx([0.8, 0.6])


def test_without_symbolic_build_fit_does_not_take_a_batch_to_build_the_model(vae):
    vae._distribute_strategy = tf.distribute.get_strategy()
    taken = []

    def batches():
        for place in range(2):
            taken.append(place)
            yield np.zeros((3, 32, 32, 1), np.float32)

    def data():
        return tf.data.Dataset.from_generator(batches, output_signature=tf.TensorSpec((None, 32, 32, 1)))

    vae.fit(data(), verbose=0, steps_per_epoch=2, shuffle=False)
    assert len(taken) > 2  # Keras takes one more; if this fails, `without_symbolic_build` is not needed any more
    taken.clear()
    without_symbolic_build(vae)
    vae.fit(data(), verbose=0, steps_per_epoch=2, shuffle=False)
    assert len(taken) == 2
