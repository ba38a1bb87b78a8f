"""The beta-TCVAE: price the parts of the KL one by one.

Averaged over images the KL is the sum of mutual information, total correlation and dimension-wise KL
(`vae_keras.total_correlation`), of which the total correlation alone ties latents to each other. Weighing the parts,

    reconstruction_nll + alpha I(x; z) + beta TC + gamma sum_j KL(q(z_j) || p(z_j))

(Chen et al. 2018, arXiv 1802.04942, eq. 4). Estimated at the same z the three parts add up to log q(z | x) - log p(z),
whose expectation over z is the KL in closed form. So the loss is written as

    reconstruction_nll + KL + (alpha - 1) I + (beta - 1) TC + (gamma - 1) sum_j KL_j

which has the same expectation, as a rule less variance, and is the plain VAE to rounding where all weights are one.
"""

from dataclasses import dataclass
from typing import ClassVar

import keras
from keras import ops

from vae_keras.objectives.objective import Objective
from vae_keras.registry import look_up
from vae_keras.total_correlation import ESTIMATORS, kl_parts
from vae_keras.types import Forward, Loss


@keras.saving.register_keras_serializable("vae_keras")
@dataclass(frozen=True)
class BetaTCVAE(Objective):
    """-ELBO + (alpha - 1) I(x; z) + (beta - 1) TC(z) + (gamma - 1) sum_j KL(q(z_j) || p(z_j)).

    Attributes:
        beta: multiplies the total correlation of q(z), in nats, against a likelihood summed over pixels; 1 is the VAE.
            Six is what Chen et al. report on dSprites.
        mutual_information_weight: alpha.
        dimension_wise_weight: gamma of the paper.
        estimator: how a batch stands for all training images, a name in `vae_keras.total_correlation.ESTIMATORS`.
    """

    beta: float = 6.0
    mutual_information_weight: float = 1.0
    dimension_wise_weight: float = 1.0
    estimator: str = "stratified"
    parts: ClassVar[tuple[str, ...]] = ("mutual_information", "total_correlation", "dimension_wise_kl")

    def __post_init__(self) -> None:
        look_up("estimator", ESTIMATORS, self.estimator)

    @property
    def needs_training_images(self) -> bool:
        return True

    def loss(self, forward: Forward) -> Loss:
        log_weights = ESTIMATORS[self.estimator](ops.shape(forward.latents)[0], forward.training_images)
        parts = kl_parts(forward.latents, forward.posterior, forward.posterior, log_weights)
        per_image = (
            -forward.terms.elbo
            + (self.mutual_information_weight - 1.0) * parts.mutual_information
            + (self.beta - 1.0) * parts.total_correlation
            + (self.dimension_wise_weight - 1.0) * parts.dimension_wise_kl
        )
        return Loss(per_image, parts._asdict())
