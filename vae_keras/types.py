"""What the parts of a VAE hand to each other."""

from typing import Any, NamedTuple, Protocol

from vae_keras.backend import Tensor
from vae_keras.gaussians import Posterior
from vae_keras.priors.prior import Prior

# The terms that training reports, in the order in which they are shown.
TERMS = ("loss", "elbo", "reconstruction_nll", "kl")


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


class Auxiliary(Protocol):
    """A model that an objective trains together with the VAE, with an optimiser of its own.

    It is a Keras layer, so it is saved with the VAE.
    """

    trainable_variables: list[Any]

    def learn(self, latents: Tensor) -> dict[str, Tensor]:
        """Take a step on the latents (batch, latents) of a training batch; the quantities to report, by name."""


class NoAuxiliary:
    """The auxiliary of an objective that trains the VAE alone."""

    trainable_variables: tuple[()] = ()

    def learn(self, latents: Tensor) -> dict[str, Tensor]:
        return {}


class Forward(NamedTuple):
    """All that an objective may use: a batch on its way through the model, and the state of training.

    Attributes:
        terms: of the ELBO.
        posterior: q(z | x), (batch, latents) twice.
        latents: the samples z from q(z | x) at which `terms` were computed, (batch, latents).
        prior: p(z).
        auxiliary: the model that the objective trains together with the VAE.
        epoch: passes over the training images so far, a real number, ().
        training_images: the number of training images, at least 1.
    """

    terms: ElboTerms
    posterior: Posterior
    latents: Tensor
    prior: Prior
    auxiliary: Any
    epoch: Tensor
    training_images: int


class Loss(NamedTuple):
    """The quantity that training minimises, and its parts.

    Attributes:
        per_image: (batch,), in nats.
        parts: the objective's own quantities by name, each (batch,) or (); TensorBoard shows them.
    """

    per_image: Tensor
    parts: dict[str, Tensor]
