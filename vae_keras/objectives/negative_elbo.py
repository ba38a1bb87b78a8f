"""The plain VAE: minimise the negative evidence lower bound."""

from dataclasses import dataclass

from vae_keras.objectives.objective import Measured, Objective, share_of_kl
from vae_keras.types import Forward, Loss


@dataclass(frozen=True)
class NegativeElbo(Objective):
    """-ELBO = reconstruction_nll + KL (Kingma & Welling 2014, eq. 3)."""

    def loss(self, forward: Forward) -> Loss:
        return Loss(-forward.terms.elbo, {})

    def cost(self, measured: Measured) -> list[str]:
        return ["The loss is the negative ELBO: a nat of KL costs a nat.", share_of_kl(measured, 1.0)]
