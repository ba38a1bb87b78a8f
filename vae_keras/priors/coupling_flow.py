"""The density behind the prior `Flow`."""

import keras
import numpy as np
from keras import layers, ops

from vae_keras.backend import Tensor
from vae_keras.priors.prior import Prior
from vae_keras.priors.standard_normal import StandardNormal

LARGEST_LOG_SCALE = 2.0


class CouplingFlow(Prior, keras.layers.Layer):
    """log p(z) = log N(e; 0, I) - sum over couplings of log |det|, with z = f(e).

    A coupling leaves some of the latents as they are, and with them computes a scale s and a shift t for the others:

        z_b = e_b exp(s(e_a)) + t(e_a),  z_a = e_a,  log |det| = sum_b s_b(e_a)

    (Dinh et al. 2017, arXiv 1605.08803, eqs. 4 to 6). Which latents change alternates between even and odd ones. s is
    bounded by a tanh, so that no latent explodes. The last layer of each network starts at zero, which makes s = t = 0.
    """

    def __init__(self, couplings: int, units: int, latent_dim: int, seed: int):
        super().__init__(name="prior", dtype=keras.config.floatx())
        self.latent_dim = latent_dim
        self.networks = []
        for place in range(couplings):
            first = keras.initializers.GlorotUniform(1000 * seed + place)
            self.networks.append(
                keras.Sequential(
                    [
                        keras.Input((latent_dim,)),
                        layers.Dense(units, "tanh", kernel_initializer=first),
                        layers.Dense(2 * latent_dim, kernel_initializer="zeros"),
                    ],
                    name=f"coupling_{place}",
                )
            )
        self.built = True

    def _scale_and_shift(self, place: int, latents: Tensor) -> tuple[Tensor, Tensor]:
        """s and t for the latents that this coupling changes, and 0 for the others, (batch, latents) each."""
        kept = ops.cast(ops.arange(self.latent_dim) % 2 == place % 2, latents.dtype)
        log_scale, shift = ops.split(self.networks[place](latents * kept), 2, axis=-1)
        return (1 - kept) * LARGEST_LOG_SCALE * ops.tanh(log_scale), (1 - kept) * shift

    def log_prob(self, latents: Tensor) -> Tensor:
        shape = ops.shape(latents)[:-1]
        noise = ops.reshape(ops.cast(latents, self.compute_dtype), (-1, self.latent_dim))
        log_determinant = ops.zeros_like(noise[:, 0])
        for place in reversed(range(len(self.networks))):
            log_scale, shift = self._scale_and_shift(place, noise)
            noise = (noise - shift) * ops.exp(-log_scale)
            log_determinant += ops.sum(log_scale, axis=-1)
        density = StandardNormal(self.latent_dim).log_prob(noise) - log_determinant
        return ops.cast(ops.reshape(density, shape), latents.dtype)

    def sample(self, n: int, seed: int) -> np.ndarray:
        latents = ops.convert_to_tensor(StandardNormal(self.latent_dim).sample(n, seed))
        for place in range(len(self.networks)):
            log_scale, shift = self._scale_and_shift(place, latents)
            latents = latents * ops.exp(log_scale) + shift
        return np.asarray(latents)
