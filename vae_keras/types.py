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
        # answer: the ELBO from its two terms
        return -self.reconstruction_nll - self.kl
        # end of answer


class Forward(NamedTuple):
    """All that an objective may look at: a batch on its way through the model, and where training stands.

    Attributes:
        terms: of the ELBO.
        posterior: q(z | x), (batch, latents) twice.
        latents: the z from q(z | x) at which `terms` were taken, (batch, latents).
        auxiliary: what the objective trains beside the VAE; None where that is nothing.
        epoch: passes over the training images so far, a number with a fraction, ().
        training_images: how many there are; 0 where the objective need not know.
    """

    terms: ElboTerms
    posterior: Posterior = Posterior(None, None)
    latents: Tensor = None
    auxiliary: Any = None
    epoch: Tensor = 0.0
    training_images: int = 0


class Loss(NamedTuple):
    """What is minimised, and what it is made of.

    Attributes:
        per_image: (batch,), in nats.
        parts: the objective's own quantities by name, each (batch,) or (); TensorBoard shows them.
    """

    per_image: Tensor
    parts: dict[str, Tensor]
