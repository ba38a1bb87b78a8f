"""What the parts of a VAE hand to each other."""

from typing import Any, NamedTuple

# A backend tensor: Keras 3 gives it no static type.
Tensor = Any


class Posterior(NamedTuple):
    """q(z | x) = N(mean, diag(exp(log_variance))), one for each image.

    Attributes:
        mean: (batch, latents).
        log_variance: (batch, latents).
    """

    mean: Tensor
    log_variance: Tensor


class ElboTerms(NamedTuple):
    """The two terms of the evidence lower bound, in nats for each image.

    Attributes:
        reconstruction_nll: -log p(x | z) at one z from q(z | x), summed over pixels, (batch,).
        kl: KL(q(z | x) || p(z)), summed over latents, (batch,).
    """

    reconstruction_nll: Tensor
    kl: Tensor

    @property
    def elbo(self) -> Tensor:
        """E_q[log p(x | z)] - KL(q || p), which is at most log p(x), (batch,)."""
        return -self.reconstruction_nll - self.kl
