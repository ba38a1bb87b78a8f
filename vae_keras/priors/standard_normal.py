"""The prior of the plain VAE: all latents independent, each with mean 0 and variance 1."""

from dataclasses import dataclass

import numpy as np

from vae_keras.backend import Tensor, ops
from vae_keras.gaussians import Posterior, kl_to_standard_normal, log_density
from vae_keras.priors.prior import Encode, Prior, PriorPart


@dataclass(frozen=True)
class StandardNormal(Prior):
    """p(z) = N(0, I) (Kingma & Welling 2014, section 3)."""

    latent_dim: int

    def log_prob(self, latents: Tensor) -> Tensor:
        zeros = ops.zeros_like(latents)
        return ops.sum(log_density(latents, zeros, zeros), axis=-1)

    def sample(self, n: int, seed: int) -> np.ndarray:
        return np.random.default_rng(seed).standard_normal((n, self.latent_dim)).astype(np.float32)

    def kl(self, posterior: Posterior, latents: Tensor) -> Tensor:
        return ops.sum(self.kl_per_latent(posterior), axis=-1)

    def kl_per_latent(self, posterior: Posterior) -> Tensor:
        return kl_to_standard_normal(posterior)


@dataclass(frozen=True)
class Standard(PriorPart):
    """N(0, I): all latents independent, each with mean 0 and variance 1."""

    def build(self, latent_dim: int, image_shape: tuple[int, int, int], encode: Encode, seed: int) -> StandardNormal:
        return StandardNormal(latent_dim)
