"""The beta-VAE: pay more for the KL, get fewer and more independent latents in use.

Maximise E[log p(x | z)] under KL(q(z | x) || p(z)) <= delta. With beta the constraint's multiplier, the Lagrangian is

    E[log p(x | z)] - beta (KL - delta)

whose beta delta does not depend on the model; what is left to minimise is reconstruction_nll + beta KL (Higgins et
al. 2017, "beta-VAE", eqs. 1 to 4; docs/theory/2-2-1-beta-vae.md).
"""

from dataclasses import dataclass
from typing import ClassVar

import keras

from vae_keras.objectives.objective import Objective, risen
from vae_keras.types import Forward, Loss


@keras.saving.register_keras_serializable("vae_keras")
@dataclass(frozen=True)
class BetaVAE(Objective):
    """reconstruction_nll + beta KL (Higgins et al. 2017, eq. 4).

    Attributes:
        beta: multiplies the KL summed over latents, against a likelihood summed over pixels; 1 is the VAE. The
            paper's normalised beta is beta x latents / pixels (section 4.2).
        warm_up: epochs over which beta rises to its value, linearly from zero; 0 for a constant beta.
    """

    beta: float = 4.0
    warm_up: float = 0.0
    parts: ClassVar[tuple[str, ...]] = ("beta",)

    @property
    def needs_training_images(self) -> bool:
        return self.warm_up > 0

    def loss(self, forward: Forward) -> Loss:
        # answer: the loss of the beta-VAE
        beta = self.beta * risen(forward.epoch, self.warm_up)
        return Loss(forward.terms.reconstruction_nll + beta * forward.terms.kl, {"beta": beta})
        # end of answer
