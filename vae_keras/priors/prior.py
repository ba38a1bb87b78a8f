"""What a VAE asks of a prior: a density of its latents, and the part that builds it."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vae_keras.backend import Tensor
from vae_keras.gaussians import Posterior
from vae_keras.registry import Part

Encode = Callable[[Tensor], Posterior]


class Prior:
    """p(z), a density on vectors of `latent_dim` numbers. It is a Keras layer where it has weights.

    A prior overrides `kl` where the divergence has a closed form.
    """

    latent_dim: int

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


@dataclass(frozen=True)
class PriorPart(Part):
    """A prior as a run chooses it: its options, and how it is built. It has no density itself."""

    @abstractmethod
    def build(self, latent_dim: int, image_shape: tuple[int, int, int], encode: Encode, seed: int) -> Prior:
        """The density.

        Args:
            latent_dim: the number of latents.
            image_shape: (height, width, channels).
            encode: q(z | x) of images in [0, 1], (batch, height, width, channels), for a prior that uses the encoder.
            seed: of the weights.

        Raises:
            UserError: the prior cannot have so many latents.
        """


def log_prior(prior: Prior, latents: np.ndarray) -> np.ndarray:
    """log p(z) at latents (..., latents), (...) float64 in nats.

    A prior may have layers, which compute in float32. So it gets float32 latents, whatever the evaluation computes in.
    """
    return np.asarray(prior.log_prob(np.asarray(latents, np.float32)), float)
