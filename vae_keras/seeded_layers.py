"""Layers that do the same after a model is saved and loaded, and on several devices.

Keras 3.15 saves the weights, but not the state of seed generators. Without this state, a resumed run would draw other
random numbers than an uninterrupted run. On several devices, each layer of Keras sees only the rows of its device
(`vae_keras.replicas`).
"""

from typing import Any

import keras
from keras import ops

from vae_keras.backend import Tensor
from vae_keras.replicas import drawn_for_rows, replica_count


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

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """The inputs, in training with a share of them zero and the others scaled up, (batch, ...)."""
        if not training:
            return inputs

        def draw(shape: Any) -> Tensor:
            return keras.random.dropout(ops.ones(shape, inputs.dtype), self.rate, seed=self.seed_generator)

        return inputs * drawn_for_rows(draw, ops.shape(inputs))


@keras.saving.register_keras_serializable("vae_keras")
class BatchNormalization(keras.layers.BatchNormalization):
    """Batch normalisation (Ioffe & Szegedy 2015) with the mean and the variance of the whole batch, on all devices."""

    def call(self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None) -> Tensor:
        """The normalised inputs, (batch, ...)."""
        # Keras's synchronised variance is E[x^2] - E[x]^2, which is less exact, so one device does without.
        self.synchronized = replica_count() > 1
        return super().call(inputs, training, mask)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "synchronized": False}
