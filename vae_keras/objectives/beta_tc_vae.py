"""The beta-TCVAE: weigh the parts of the KL one by one.

Averaged over images, the KL is the sum of mutual information, total correlation and dimension-wise KL
(`vae_keras.total_correlation`). Only the total correlation depends on how the latents depend on each other. With a
weight for each part,

    reconstruction_nll + alpha I(x; z) + beta TC + gamma sum_j KL(q(z_j) || p(z_j))

(Chen et al. 2018, arXiv 1802.04942, eq. 4). Estimated at the same z, the three parts add up to log q(z | x) - log p(z),
whose expectation over z is the KL. So the loss is written as

    reconstruction_nll + KL + (alpha - 1) I + (beta - 1) TC + (gamma - 1) sum_j KL_j

It has the same expectation and usually less variance. With all weights one it is the plain VAE, to rounding.
"""

from dataclasses import dataclass
from typing import ClassVar

from vae_keras.backend import ops
from vae_keras.objectives.objective import WEIGHT, Measured, Objective, price_of_total_correlation
from vae_keras.registry import look_up, option
from vae_keras.total_correlation import ESTIMATORS, kl_parts
from vae_keras.types import Forward, Loss


@dataclass(frozen=True)
class BetaTCVAE(Objective):
    """-ELBO + (alpha - 1) I(x; z) + (beta - 1) TC(z) + (gamma - 1) sum_j KL(q(z_j) || p(z_j)).

    Attributes:
        beta: multiplies the total correlation of q(z), in nats, against a likelihood summed over pixels; 1 is the VAE.
            Chen et al. report 6 on dSprites.
        mutual_information_weight: alpha.
        dimension_wise_weight: gamma of the paper.
        estimator: how a batch stands for all training images, a name in `vae_keras.total_correlation.ESTIMATORS`.
    """

    beta: float = option(
        6.0,
        "multiplies the total correlation, in nats, against a likelihood summed over pixels; 1 gives the VAE",
        WEIGHT.refusal,
    )
    mutual_information_weight: float = option(
        1.0, "multiplies the mutual information of image and latents", WEIGHT.refusal
    )
    dimension_wise_weight: float = option(
        1.0, "multiplies the KL of the distribution of each latent on its own", WEIGHT.refusal
    )
    estimator: str = option("stratified", f"how a batch stands for all images, one of {', '.join(ESTIMATORS)}")
    parts: ClassVar[tuple[str, ...]] = ("mutual_information", "total_correlation", "dimension_wise_kl")

    def __post_init__(self) -> None:
        look_up("estimator", ESTIMATORS, self.estimator)

    @property
    def needs_training_images(self) -> bool:
        return True

    def loss(self, forward: Forward) -> Loss:
        latents, posterior = forward.latents, forward.posterior
        log_weights = ESTIMATORS[self.estimator](ops.shape(latents)[0], forward.training_images)
        parts = kl_parts(latents, posterior, posterior, log_weights, forward.prior.log_prob(latents))
        per_image = (
            -forward.terms.elbo
            + (self.mutual_information_weight - 1.0) * parts.mutual_information
            + (self.beta - 1.0) * parts.total_correlation
            + (self.dimension_wise_weight - 1.0) * parts.dimension_wise_kl
        )
        return Loss(per_image, parts._asdict())

    def cost(self, measured: Measured) -> list[str]:
        return price_of_total_correlation(measured, f"beta = {self.beta:g}")
