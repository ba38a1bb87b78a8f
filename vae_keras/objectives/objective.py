"""What a VAE asks of an objective, and what it gets where an objective says nothing else."""

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from keras import ops

from vae_keras.registry import Saved
from vae_keras.types import Forward, Loss, Tensor


class Auxiliary(Protocol):
    """A layer that an objective trains beside the VAE, with an optimiser of its own; saved with the model."""

    trainable_variables: list[Any]

    def learn(self, latents: Tensor) -> dict[str, Tensor]:
        """Take a step on the latents (batch, latents) of a training batch; what there is to report, by name."""


@dataclass(frozen=True)
class Objective(Saved):
    """A frozen value that turns a forward pass into the loss.

    Attributes:
        parts: names of its own quantities, those that an auxiliary reports included.
        usual_warm_up: share of a run's epochs that its `warm_up` takes where none is given.
    """

    parts: ClassVar[tuple[str, ...]] = ()
    usual_warm_up: ClassVar[float] = 0.0

    @property
    def needs_training_images(self) -> bool:
        """Whether the loss depends on how many training images there are, or on the epoch."""
        return False

    def auxiliary(self, latent_dim: int, seed: int) -> Auxiliary | None:
        """A new auxiliary for so many latents; None where only the VAE is trained."""
        return None

    def loss(self, forward: Forward) -> Loss:
        """What is minimised, for each image, in nats."""
        raise NotImplementedError


def risen(epoch: Tensor, warm_up: float) -> Tensor:
    """How far a linear warm-up over so many epochs has come, from 0 to 1, ().

    A KL that costs nothing at first lets the latents come into use before they are paid for (Bowman et al. 2016,
    arXiv 1511.06349, section 3.1; Sonderby et al. 2016, arXiv 1602.02282, section 2.3).
    """
    return ops.minimum(epoch / warm_up, 1.0) if warm_up else 1.0
