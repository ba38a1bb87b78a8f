"""The FactorVAE: pay for the total correlation alone, which a discriminator estimates.

    -ELBO + gamma TC(z),  TC(z) = KL(q(z) || prod_j q(z_j)) = E_q(z)[log q(z) / prod_j q(z_j)]

(Kim & Mnih 2018, arXiv 1802.05983, eq. 2). Neither density can be computed from a batch, but both can be sampled:
q(z) by encoding images, the product by permuting each latent across the batch on its own. The classifier D that best
tells the two apart has D / (1 - D) = q(z) / prod_j q(z_j), so its logit is the log of the ratio (section 3, eq. 3; the
proof is in docs/theory/2-2-3-factor-vae.md).
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from vae_keras.objectives.objective import WEIGHT, Measured, Objective, price_of_total_correlation
from vae_keras.registry import option
from vae_keras.types import Forward, Loss


@dataclass(frozen=True)
class FactorVAE(Objective):
    """-ELBO + gamma TC, with TC the mean logit of a discriminator that is trained together with the VAE.

    Attributes:
        gamma: multiplies the total correlation of q(z), in nats, against a likelihood summed over pixels; 0 is the
            VAE. Ten is the smallest value that Locatello et al. 2019 tried (arXiv 1811.12359).
    """

    gamma: float = option(
        10.0, "multiplies the total correlation, in nats, against a likelihood summed over pixels", WEIGHT.refusal
    )
    parts: ClassVar[tuple[str, ...]] = ("total_correlation", "discriminator_loss", "discriminator_accuracy")
    since_format: ClassVar[int] = 2  # format 1 stored the discriminator under another name

    def auxiliary(self, latent_dim: int, seed: int) -> Any:
        """The discriminator."""
        from vae_keras.objectives.discriminator import Discriminator  # defines a layer, so it loads Keras

        return Discriminator(latent_dim, seed)

    def loss(self, forward: Forward) -> Loss:
        # log D(z) - log(1 - D(z)), whose mean over q(z) is TC
        log_ratio = forward.auxiliary(forward.latents)
        return Loss(-forward.terms.elbo + self.gamma * log_ratio, {"total_correlation": log_ratio})

    def cost(self, measured: Measured) -> list[str]:
        return price_of_total_correlation(measured, f"gamma = {self.gamma:g}, on top of its share of the KL")
