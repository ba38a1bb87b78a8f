"""The reparameterisation trick as a layer."""

from typing import Any

import keras
from keras import ops

from vae_keras.seeded_layers import SavedNoise
from vae_keras.types import Posterior, Tensor


@keras.saving.register_keras_serializable("vae_keras")
class Sampling(SavedNoise, keras.layers.Layer):
    """z = mean + std * noise, with noise ~ N(0, I) from its own seed.

    A sample drawn from q directly has no derivative with respect to q's parameters; written
    this way the randomness is an input and z is differentiable in mean and log-variance
    (Kingma & Welling 2014, section 2.4).
    """

    def __init__(self, seed: int = 0, **kwargs: Any):
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def call(self, posterior: Posterior) -> Tensor:
        """One z for each image, (batch, latents)."""
        # answer: the reparameterisation trick
        mean, log_variance = posterior
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        return mean + ops.exp(0.5 * log_variance) * noise
        # end of answer

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}
