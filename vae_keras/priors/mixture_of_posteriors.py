"""The density behind the prior `Vamp`."""

import math

import keras
import numpy as np
from keras import ops

from vae_keras.backend import Tensor
from vae_keras.gaussians import Posterior, log_density
from vae_keras.priors.prior import Encode, Prior

SPREAD = 1.0  # the standard deviation of the first logits; the images begin as grey noise


class MixtureOfPosteriors(Prior, keras.layers.Layer):
    """p(z) = 1/K sum_k q(z | u_k), with u_k = sigmoid(w_k) and weights w_k of the shape of an image."""

    def __init__(self, count: int, latent_dim: int, image_shape: tuple[int, int, int], encode: Encode, seed: int):
        super().__init__(name="prior", dtype=keras.config.floatx())
        self.latent_dim = latent_dim
        self.logits = self.add_weight(
            shape=(count, *image_shape),
            initializer=keras.initializers.RandomNormal(stddev=SPREAD, seed=seed),
            name="pseudo_inputs",
        )
        # A function, not the encoder itself: Keras would save the encoder once more, as a part of this layer.
        self._posteriors = lambda: encode(ops.sigmoid(self.logits))
        self.built = True

    def components(self) -> Posterior:
        """q(z | u_k), mean and log-variance (K, latents) each."""
        return self._posteriors()

    def log_prob(self, latents: Tensor) -> Tensor:
        mean, log_variance = (ops.cast(part, latents.dtype) for part in self.components())
        # log 1/K sum_k q(z | u_k)
        each = ops.sum(log_density(latents[..., None, :], mean, log_variance), axis=-1)
        return ops.logsumexp(each, axis=-1) - math.log(self.logits.shape[0])

    def sample(self, n: int, seed: int) -> np.ndarray:
        random = np.random.default_rng(seed)
        mean, log_variance = (np.asarray(part, float) for part in self.components())
        chosen = random.integers(len(mean), size=n)
        noise = random.standard_normal((n, self.latent_dim))
        return (mean[chosen] + np.exp(0.5 * log_variance[chosen]) * noise).astype(np.float32)
