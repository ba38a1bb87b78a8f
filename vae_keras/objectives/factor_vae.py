"""The FactorVAE: pay for the total correlation alone, and let a discriminator say how large it is.

    -ELBO + gamma TC(z),  TC(z) = KL(q(z) || prod_j q(z_j)) = E_q(z)[log q(z) / prod_j q(z_j)]

(Kim & Mnih 2018, arXiv 1802.05983, eq. 2). Neither density can be computed from a batch, but both can be sampled:
q(z) by encoding images, the product by permuting each latent across the batch on its own. The classifier D that tells
the two apart best has D / (1 - D) = q(z) / prod_j q(z_j), so its logit is the log of the ratio (section 3, eq. 3; the
proof is in docs/theory/2-2-3-factor-vae.md).
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import tensorflow as tf
from keras import layers, ops

from vae_keras.objectives.objective import Objective
from vae_keras.seeded_layers import SavedNoise
from vae_keras.types import Forward, Loss, Tensor

# Kim & Mnih 2018, appendix A.
LAYERS, UNITS, SLOPE = 6, 1000, 0.2
LEARNING_RATE, BETA_1, BETA_2 = 1e-4, 0.5, 0.9


@keras.saving.register_keras_serializable("vae_keras")
@dataclass(frozen=True)
class FactorVAE(Objective):
    """-ELBO + gamma TC, with TC the mean logit of a discriminator that learns beside the VAE.

    Attributes:
        gamma: multiplies the total correlation of q(z), in nats, against a likelihood summed over pixels; 0 is the
            VAE. Ten is the least that Locatello et al. 2019 tried (arXiv 1811.12359).
    """

    gamma: float = 10.0
    parts: ClassVar[tuple[str, ...]] = ("total_correlation", "discriminator_loss", "discriminator_accuracy")

    def auxiliary(self, latent_dim: int, seed: int) -> "Discriminator":
        return Discriminator(latent_dim, seed)

    def loss(self, forward: Forward) -> Loss:
        # log D(z) - log(1 - D(z)), whose mean over q(z) is TC
        log_ratio = forward.auxiliary(forward.latents)
        return Loss(-forward.terms.elbo + self.gamma * log_ratio, {"total_correlation": log_ratio})


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
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        right = ops.cast(ops.concatenate([yes > 0, no < 0]), loss.dtype)
        return {"discriminator_loss": loss, "discriminator_accuracy": ops.mean(right)}


def permuted(latents: Tensor, seed: Any) -> Tensor:
    """Each column of latents (batch, latents) in a random order of its own: samples of prod_j q(z_j)."""
    # answer: codes permuted across the batch
    order = ops.argsort(keras.random.uniform(ops.shape(latents), seed=seed), axis=0)
    return ops.take_along_axis(latents, order, axis=0)
    # end of answer
