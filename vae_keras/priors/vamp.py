"""The VampPrior: a mixture of the posteriors of images that are learned."""

from dataclasses import dataclass
from typing import Any

from common.ranges import Range
from vae_keras.priors.prior import Encode, PriorPart
from vae_keras.registry import option


@dataclass(frozen=True)
class Vamp(PriorPart):
    """p(z) = 1/K sum_k q(z | u_k), with K images u_k that are learned together with the network.

    The prior that makes the ELBO largest is the mean of q(z | x) over all images; this is its approximation by K
    images that stand for them (Tomczak & Welling 2018, arXiv 1705.07120, eq. 9).

    Attributes:
        pseudo_inputs: K. Each step of training encodes them, too.
    """

    pseudo_inputs: int = option(64, "number of learned images whose posteriors form the prior", Range(1, 4096).refusal)

    def build(self, latent_dim: int, image_shape: tuple[int, int, int], encode: Encode, seed: int) -> Any:
        """The layer `MixtureOfPosteriors`."""
        from vae_keras.priors.mixture_of_posteriors import MixtureOfPosteriors  # defines a layer, so it loads Keras

        return MixtureOfPosteriors(self.pseudo_inputs, latent_dim, image_shape, encode, seed)
