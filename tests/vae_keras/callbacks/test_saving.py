import math

import keras
import numpy as np
import pytest

import vae_keras
from common.errors import UserError
from vae_keras.callbacks import FiniteLoss
from vae_keras.keras_private import remember_skipped_attributes
from vae_keras.optimizers import Adam
from vae_keras.run_folder import Run


def test_saving_makes_nothing_anew_to_learn_what_to_skip(tmp_path, monkeypatch):
    # What Keras 3.15 makes for that at every save is memory that is never given back.
    vae = vae_keras.build_vae((32, 32, 1), 4)
    vae.compile(optimizer=Adam(1e-3), jit_compile=False)
    vae.optimizer.build(vae.trainable_variables)
    remember_skipped_attributes()
    made, kind = [], keras.optimizers.Optimizer
    original = kind.__init__
    monkeypatch.setattr(kind, "__init__", lambda *args, **kwargs: made.append(original(*args, **kwargs)))
    vae.save(tmp_path / "vae.keras")
    assert not made
    loaded = keras.saving.load_model(tmp_path / "vae.keras")
    assert made  # loading does make one, so the count counts
    assert loaded.optimizer.get_config() == vae.optimizer.get_config()


@pytest.mark.parametrize(("precision", "remedy"), [("float32", "a lower --lr"), ("float16", "--precision float32")])
def test_what_is_not_finite_stops_training_with_the_remedy_for_its_precision(tmp_path, precision, remedy):
    vae = vae_keras.build_vae((32, 32, 1), 4, precision=precision)
    vae.compile(Adam(1e-3), jit_compile=False)
    guard = FiniteLoss(Run(tmp_path))
    guard.set_model(vae)
    guard.on_epoch_end(0, {"loss": 1.0})
    with pytest.raises(UserError, match=f"kl is not finite in epoch 3; no epoch was finished; .* with {remedy}$"):
        guard.on_epoch_end(2, {"loss": 1.0, "kl": math.nan})
    vae.decoder.layers[0].bias.assign(np.full(vae.decoder.layers[0].bias.shape, math.inf))
    with pytest.raises(UserError, match="a weight is not finite"):
        guard.on_epoch_end(0, {"loss": 1.0})
