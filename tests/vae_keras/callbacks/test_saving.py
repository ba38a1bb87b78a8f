import keras

import vae_keras
from vae_keras.callbacks.saving import remember_what_keras_skips
from vae_keras.optimizers import Adam


def test_saving_makes_nothing_anew_to_learn_what_to_skip(tmp_path, monkeypatch):
    # What Keras 3.15 makes for that at every save is memory that is never given back.
    vae = vae_keras.build_vae((32, 32, 1), 4)
    vae.compile(optimizer=Adam(1e-3), jit_compile=False)
    vae.optimizer.build(vae.trainable_variables)
    remember_what_keras_skips()
    made, kind = [], keras.optimizers.Optimizer
    original = kind.__init__
    monkeypatch.setattr(kind, "__init__", lambda *args, **kwargs: made.append(original(*args, **kwargs)))
    vae.save(tmp_path / "vae.keras")
    assert not made
    loaded = keras.saving.load_model(tmp_path / "vae.keras")
    assert made  # loading does make one, so the count counts
    assert loaded.optimizer.get_config() == vae.optimizer.get_config()
