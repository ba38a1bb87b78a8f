"""What a VAE asks of an objective, and the parts that objectives share."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from common.estimates import Estimate
from common.ranges import Range
from vae_keras.backend import Tensor, ops
from vae_keras.registry import EPOCHS, Part, option
from vae_keras.types import Forward, Loss, NoAuxiliary

# Range of the weights of loss terms, and of capacities in nats. Adam keeps squared gradients, which grow with the
# square of a weight; with weights up to 1e6 they stay below the largest float32, 3e38.
WEIGHT = Range(0, 1e6)
LITTLE = 0.1  # of the KL: a smaller total correlation is little


class Measured(NamedTuple):
    """The numbers of a trained run from which an objective says what it cost, in nats for each image.

    Attributes:
        reconstruction_nll, kl: means over the test images.
        training_kl: mean over the training images in the last epoch; None where the run has no history.
        total_correlation: of the test images; None where it was not measured.
        latent_dim: number of latents.
        pixels: number of pixels and channels.
    """

    reconstruction_nll: float
    kl: float
    training_kl: float | None
    total_correlation: Estimate | None
    latent_dim: int
    pixels: int


@dataclass(frozen=True)
class Objective(Part):
    """Turns a forward pass into the loss.

    Attributes:
        parts: names of its own quantities, those that its auxiliary model reports included.
    """

    parts: ClassVar[tuple[str, ...]] = ()

    @property
    def needs_training_images(self) -> bool:
        """Whether the loss depends on the number of training images, or on the epoch."""
        return False

    def auxiliary(self, latent_dim: int, seed: int) -> Any:
        """A new `vae_keras.types.Auxiliary` for so many latents: a Keras layer, or nothing that is trained."""
        return NoAuxiliary()

    @abstractmethod
    def loss(self, forward: Forward) -> Loss:
        """The quantity that training minimises, for each image, in nats."""

    def cost(self, measured: Measured) -> list[str]:
        """Sentences for the report: what the objective cost a trained run, and what it bought."""
        return []


def warmed_up(epoch: Tensor, warm_up: float) -> Tensor:
    """The share of a linear warm-up over so many epochs that is done, from 0 to 1, ().

    While the KL costs little, the latents come into use (Bowman et al. 2016, arXiv 1511.06349, section 3.1; Sonderby et
    al. 2016, arXiv 1602.02282, section 2.3).
    """
    return ops.minimum(epoch / warm_up, 1.0) if warm_up else 1.0


def warm_up_option(text: str, share_of_epochs: float = 0.0) -> Any:
    """The option `warm_up`, a number of epochs."""
    allowed = Range(1e-3, EPOCHS.high, zero=True).refusal
    return option(0.0, text, allowed, in_epochs=True, share_of_epochs=share_of_epochs)


def share_of_kl(measured: Measured, weight: float) -> str:
    """How much of the loss the KL is. It is a share only where the reconstruction term is positive."""
    nll, kl = measured.reconstruction_nll, weight * measured.kl
    if nll <= 0:
        return (
            f"On test images the KL term is {kl:.1f} nats, and the reconstruction term is {nll:.1f} nats. It is "
            "negative, because the likelihood is a density. So the KL is not a share of their sum."
        )
    return f"On test images the KL term is {kl:.1f} nats, {kl / (nll + kl):.2%} of the loss."


def price_of_total_correlation(measured: Measured, price: str) -> list[str]:
    """What a nat of total correlation cost, and how much of it is left."""
    left = measured.total_correlation
    if left is None:
        return [f"A nat of total correlation cost {price}. How much is left was not measured."]
    verdict = "little" if left.value < LITTLE * measured.kl else "more than a trace"
    return [
        f"A nat of total correlation cost {price}. Of a KL of {measured.kl:.1f} nats, {left.value:.2f} +- "
        f"{left.standard_error:.2f} nats of total correlation are left: {verdict}."
    ]
