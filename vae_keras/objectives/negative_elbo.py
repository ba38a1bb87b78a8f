"""The plain VAE: minimise the negative evidence lower bound."""

from dataclasses import dataclass

import keras

from vae_keras.outputs import ElboTerms, Tensor
from vae_keras.values import Saved


@keras.saving.register_keras_serializable("vae_keras")
@dataclass(frozen=True)
class NegativeElbo(Saved):
    """-ELBO = reconstruction_nll + KL (Kingma & Welling 2014, eq. 3)."""

    def loss(self, terms: ElboTerms) -> Tensor:
        """The loss of each image, (batch,), in nats."""
        return -terms.elbo
