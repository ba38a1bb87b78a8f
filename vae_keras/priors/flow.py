"""A prior whose density is learned: noise from N(0, I) that goes through invertible layers."""

from dataclasses import dataclass
from typing import Any

from common.errors import UserError
from common.ranges import Range
from vae_keras.priors.prior import Encode, PriorPart
from vae_keras.registry import option


@dataclass(frozen=True)
class Flow(PriorPart):
    """z = f(e), e from N(0, I), with f a chain of affine couplings (Dinh et al. 2017, arXiv 1605.08803, section 3).

    Attributes:
        couplings: number of layers. At the start of training each is the identity, so the prior is N(0, I).
        coupling_units: units of the hidden layer in each coupling.
    """

    couplings: int = option(6, "number of invertible layers between N(0, I) and the latents", Range(1, 64).refusal)
    coupling_units: int = option(64, "units of the hidden layer in each invertible layer", Range(1, 4096).refusal)

    def build(self, latent_dim: int, image_shape: tuple[int, int, int], encode: Encode, seed: int) -> Any:
        """The layer `CouplingFlow`."""
        if latent_dim < 2:
            raise UserError("--prior flow needs at least two latents; pass --latent-dim 2 or more, or another --prior")
        from vae_keras.priors.coupling_flow import CouplingFlow  # defines a layer, so it loads Keras

        return CouplingFlow(self.couplings, self.coupling_units, latent_dim, seed)
