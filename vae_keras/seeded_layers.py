"""Layers that draw random numbers, and go on drawing the same ones after a model has been saved and loaded.

Keras 3.15 saves weights, but not the state of seed generators; without it a resumed run
would not draw what an unbroken one does.
"""

from typing import Any

import keras


class SavedNoise:
    """Saves the state of a layer's `seed_generator` beside its weights; mix in before the layer's class."""

    seed_generator: keras.random.SeedGenerator

    def save_own_variables(self, store: dict[str, Any]) -> None:
        store["seed_generator_state"] = self.seed_generator.state.numpy()

    def load_own_variables(self, store: dict[str, Any]) -> None:
        self.seed_generator.state.assign(store["seed_generator_state"])


@keras.saving.register_keras_serializable("vae_keras")
class Dropout(SavedNoise, keras.layers.Dropout):
    """Dropout (Srivastava et al. 2014) whose noise is saved; the rate lies strictly between 0 and 1."""
