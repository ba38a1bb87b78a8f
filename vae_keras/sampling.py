"""The reparameterisation trick as a layer."""

from typing import Any

import keras
from keras import ops

from vae_keras.outputs import Posterior, Tensor


@keras.saving.register_keras_serializable("vae_keras")
class Sampling(keras.layers.Layer):
    """z = mean + std * noise, with noise ~ N(0, I) from its own seed.

    A sample drawn from q directly has no derivative with respect to q's parameters; written
    this way the randomness is an input and z is differentiable in mean and log-variance
    (Kingma & Welling 2014, section 2.4). The generator's state is saved with the
    model, so that a resumed run draws what an unbroken one would have.
    """

    def __init__(self, seed: int = 0, **kwargs: Any):
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def call(self, posterior: Posterior) -> Tensor:
        """One z for each image, (batch, latents)."""
        mean, log_variance = posterior
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        return mean + ops.exp(0.5 * log_variance) * noise

    # Keras 3.15 saves weights, but not the state of seed generators.

    def save_own_variables(self, store: dict[str, Any]) -> None:
        store["seed_generator_state"] = self.seed_generator.state.numpy()

    def load_own_variables(self, store: dict[str, Any]) -> None:
        self.seed_generator.state.assign(store["seed_generator_state"])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}
