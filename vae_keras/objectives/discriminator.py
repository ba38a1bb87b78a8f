"""The discriminator of the FactorVAE."""

import keras
import tensorflow as tf
from keras import layers, ops

from vae_keras.backend import Tensor
from vae_keras.objectives.permutation import permuted
from vae_keras.replicas import replica_count
from vae_keras.seeded_layers import SavedNoise

# Kim & Mnih 2018, arXiv 1802.05983, appendix A.
LAYERS, UNITS, SLOPE = 6, 1000, 0.2
LEARNING_RATE, BETA_1, BETA_2 = 1e-4, 0.5, 0.9


class Discriminator(SavedNoise, layers.Layer):
    """Tells latents that belong together from latents that were permuted; its logit is log q(z) / prod_j q(z_j)."""

    def __init__(self, latent_dim: int, seed: int):
        super().__init__(name="discriminator", dtype="float32")
        hidden = [
            layers.Dense(
                UNITS,
                activation=layers.LeakyReLU(SLOPE),
                kernel_initializer=keras.initializers.HeUniform(seed=1000 * seed + place),
            )
            for place in range(LAYERS)
        ]
        last = layers.Dense(1, kernel_initializer=keras.initializers.GlorotUniform(seed=1000 * seed + LAYERS))
        self.network = keras.Sequential([keras.Input((latent_dim,)), *hidden, last])
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.optimizer = keras.optimizers.Adam(LEARNING_RATE, BETA_1, BETA_2)
        self.optimizer.build(self.network.trainable_variables)
        self.built = True

    def call(self, latents: Tensor) -> Tensor:
        """The logit of "these belong together", (batch, latents) -> (batch,)."""
        return ops.squeeze(self.network(latents), axis=-1)

    def learn(self, latents: Tensor) -> dict[str, Tensor]:
        """One step on a batch (batch, latents) and its permutation (Kim & Mnih 2018, algorithm 2).

        The paper permutes a second batch, so that no number stands on both sides; here one batch serves for both, as
        in Locatello et al. 2019.
        """
        together = tf.stop_gradient(latents)
        apart = permuted(together, self.seed_generator)
        weights = self.network.trainable_variables
        with tf.GradientTape() as tape:
            yes, no = self(together), self(apart)
            # -1/2 E_q[log D] - 1/2 E_product[log(1 - D)]
            loss = 0.5 * ops.mean(ops.softplus(-yes)) + 0.5 * ops.mean(ops.softplus(no))
            share = loss / replica_count()  # every replica has the whole batch, and Keras adds up their gradients
        self.optimizer.apply(tape.gradient(share, weights), weights)
        right = ops.cast(ops.concatenate([yes > 0, no < 0]), loss.dtype)
        return {"discriminator_loss": loss, "discriminator_accuracy": ops.mean(right)}
