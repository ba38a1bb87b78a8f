"""The reparameterisation trick as a layer."""

from typing import Any

import keras
from keras import ops

from vae_keras.backend import Tensor
from vae_keras.gaussians import Posterior
from vae_keras.replicas import drawn_for_rows
from vae_keras.seeded_layers import SavedNoise


@keras.saving.register_keras_serializable("vae_keras")
class Sampling(SavedNoise, keras.layers.Layer):
    """z = mean + std * noise (`Posterior.reparameterised`), noise ~ N(0, I). The layer has its own random state."""

    def __init__(self, seed: int = 0, **kwargs: Any):
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def call(self, posterior: Posterior) -> Tensor:
        """One z for each image, (batch, latents)."""

        def draw(shape: Any) -> Tensor:
            return keras.random.normal(shape, seed=self.seed_generator)

        return posterior.reparameterised(drawn_for_rows(draw, ops.shape(posterior.mean)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}
