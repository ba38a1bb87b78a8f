"""The plain VAE: minimise the negative evidence lower bound."""

from dataclasses import dataclass

import keras

from vae_keras.objectives.objective import Objective
from vae_keras.types import Forward, Loss


@keras.saving.register_keras_serializable("vae_keras")
@dataclass(frozen=True)
class NegativeElbo(Objective):
    """-ELBO = reconstruction_nll + KL (Kingma & Welling 2014, eq. 3)."""

    def loss(self, forward: Forward) -> Loss:
        return Loss(-forward.terms.elbo, {})
