"""The beta-VAE: pay more for the KL, get fewer and more independent latents in use."""

from dataclasses import dataclass

import keras

from vae_keras.outputs import ElboTerms, Tensor
from vae_keras.values import Saved


@keras.saving.register_keras_serializable("vae_keras")
@dataclass(frozen=True)
class BetaVAE(Saved):
    """reconstruction_nll + beta KL (Higgins et al. 2017, eq. 4).

    It is the Lagrangian of maximising the expected log-likelihood under KL <= delta,
    with beta the multiplier. beta multiplies the KL summed over latents, against a
    likelihood summed over pixels; beta = 1 is the VAE. The paper's normalised beta
    is beta x latents / pixels.
    """

    beta: float = 4.0

    def loss(self, terms: ElboTerms) -> Tensor:
        """The loss of each image, (batch,), in nats."""
        return terms.reconstruction_nll + self.beta * terms.kl
