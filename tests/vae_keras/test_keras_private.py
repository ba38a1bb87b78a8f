import keras
import pytest
from keras.src.backend.common import global_state

import vae_keras
from vae_keras.keras_private import KINDS, remember_skipped_attributes
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
