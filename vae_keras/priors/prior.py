"""What a VAE asks of a prior."""

import dataclasses
from abc import abstractmethod
from typing import Any

import numpy as np

from vae_keras.backend import Tensor
from vae_keras.gaussians import Posterior


class Prior:
    """p(z), a density on vectors of `latent_dim` numbers.

    A prior without weights is a frozen dataclass with `latent_dim` as a field, which `instantiate` sets. A prior with
    weights overrides `instantiate`, which then returns a Keras layer that has the methods below. A prior overrides `kl`
    where the divergence has a closed form.
    """

    latent_dim: int

    def instantiate(self, latent_dim: int, seed: int) -> Any:
        """This prior for so many latents; `seed` is that of its weights."""
        return dataclasses.replace(self, latent_dim=latent_dim)  # type: ignore[type-var]

    @abstractmethod
    def log_prob(self, latents: Tensor) -> Tensor:
        """log p(z) at latents (..., latents), (...) in nats."""

    @abstractmethod
    def sample(self, n: int, seed: int) -> np.ndarray:
        """n latents from p(z), (n, latents) float32; the same ones for the same seed."""

    def kl(self, posterior: Posterior, latents: Tensor) -> Tensor:
        """KL(q(z | x) || p(z)) for each image, (batch,) in nats.

        Without a closed form this is log q(z | x) - log p(z) at one sample, whose expectation is the divergence.

        Args:
            latents: a sample from the posterior, (batch, latents).
        """
        return posterior.log_prob(latents) - self.log_prob(latents)

    def kl_per_latent(self, posterior: Posterior) -> Tensor | None:
        """KL(q(z_j | x) || p(z_j)) of each latent, (batch, latents) in nats, whose sum over latents is the KL.

        None if the prior does not know the density of each latent on its own, or if its latents depend on each other.
        """
        return None


def log_prior(prior: Prior, latents: np.ndarray) -> np.ndarray:
    """log p(z) at latents (..., latents), (...) float64 in nats.

    A prior may have layers, which compute in float32. So it gets float32 latents, whatever the evaluation computes in.
    """
    return np.asarray(prior.log_prob(np.asarray(latents, np.float32)), float)
