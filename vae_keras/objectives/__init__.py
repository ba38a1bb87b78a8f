"""What training minimises: a frozen value with a loss, one file each."""

from typing import Any, Protocol

from vae_keras.objectives.beta_vae import BetaVAE
from vae_keras.objectives.negative_elbo import NegativeElbo
from vae_keras.outputs import ElboTerms, Tensor


class Objective(Protocol):
    """What a VAE asks of an objective."""

    def loss(self, terms: ElboTerms) -> Tensor:
        """What is minimised, for each image, (batch,), in nats."""

    def get_config(self) -> dict[str, Any]:
        """Its parameters by name."""


OBJECTIVES: dict[str, type] = {"vae": NegativeElbo, "beta_vae": BetaVAE}

__all__ = ["OBJECTIVES", "BetaVAE", "NegativeElbo", "Objective"]
