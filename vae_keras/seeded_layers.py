"""Layers whose random numbers continue unchanged after a model is saved and loaded.

Keras 3.15 saves the weights, but not the state of seed generators. Without this state, a resumed run would draw other
random numbers than an uninterrupted run.
"""

from typing import Any

import keras


class SavedNoise:
    """Saves the state of a layer's `seed_generator` with the model. List this base class before the layer's class."""

    seed_generator: keras.random.SeedGenerator

    def save_own_variables(self, store: dict[str, Any]) -> None:
        store["seed_generator_state"] = self.seed_generator.state.numpy()

    def load_own_variables(self, store: dict[str, Any]) -> None:
        self.seed_generator.state.assign(store["seed_generator_state"])


@keras.saving.register_keras_serializable("vae_keras")
class Dropout(SavedNoise, keras.layers.Dropout):
    """Dropout (Srivastava et al. 2014) that saves its random state. The rate lies strictly between 0 and 1."""
