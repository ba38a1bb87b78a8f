"""The beta-VAE: pay more for the KL, so that fewer and more independent latents are used.

Maximise E[log p(x | z)] under KL(q(z | x) || p(z)) <= delta. With beta the multiplier of the constraint, the Lagrangian
is

    E[log p(x | z)] - beta (KL - delta)

The term beta delta does not depend on the model, so training minimises reconstruction_nll + beta KL (Higgins et
al. 2017, "beta-VAE", eqs. 1 to 4; docs/theory/2-2-1-beta-vae.md).
"""

from dataclasses import dataclass
from typing import ClassVar

from common.ranges import Range
from vae_keras.objectives.objective import WEIGHT, Measured, Objective, share_of_kl, warm_up_option, warmed_up
from vae_keras.registry import option
from vae_keras.types import Forward, Loss


@dataclass(frozen=True)
class BetaVAE(Objective):
    """reconstruction_nll + beta KL (Higgins et al. 2017, eq. 4).

    Attributes:
        beta: multiplies the KL summed over latents, against a likelihood summed over pixels; 1 gives the VAE. The
            paper's normalised beta is beta x latents / pixels (section 4.2).
        warm_up: epochs over which beta rises to its value, linearly from zero; 0 for a constant beta.
    """

    beta: float = option(
        4.0,
        "multiplies the KL, in nats summed over latents, against a likelihood summed over pixels; 1 gives the VAE",
        Range(1e-9, WEIGHT.high).refusal,
    )
    warm_up: float = warm_up_option("epochs over which beta rises linearly from zero")
    parts: ClassVar[tuple[str, ...]] = ("beta",)

    @property
    def needs_training_images(self) -> bool:
        return self.warm_up > 0

    def loss(self, forward: Forward) -> Loss:
        # answer: the loss of the beta-VAE
        beta = self.beta * warmed_up(forward.epoch, self.warm_up)
        return Loss(forward.terms.reconstruction_nll + beta * forward.terms.kl, {"beta": beta})
        # end of answer

    def cost(self, measured: Measured) -> list[str]:
        beta = self.beta
        # beta x latents / pixels (Higgins et al. 2017, section 4.2)
        normalised = beta * measured.latent_dim / measured.pixels
        if beta > 1:
            price = (
                f"a nat of KL had to save {beta:g} nats of reconstruction, so the latents say less about an image than "
                f"those of a VAE"
            )
        elif beta < 1:
            price = (
                f"a nat of KL cost {beta:g} nats, so the latents say more about an image than those of a VAE, and the "
                f"loss is no bound of log p(x)"
            )
        else:
            price = "the objective is that of the VAE"
        return [
            f"With beta = {beta:g}, normalised {normalised:.3g} ({measured.latent_dim} latents, {measured.pixels:,} "
            f"pixels and channels), {price}.",
            share_of_kl(measured, beta),
            "The ELBO that is reported is the bound itself, whatever beta is.",
        ]
