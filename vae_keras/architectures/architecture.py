"""What `build_vae` asks of an architecture, and what architectures share."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import ClassVar

from common.errors import UserError
from vae_keras.backend import keras
from vae_keras.registry import Part

# The names of precisions, and Keras's names for them. Weights are float32 in each.
PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


@dataclass(frozen=True)
class Architecture(Part):
    """Makes the two halves of a VAE.

    Attributes:
        usual_precision: the name in `PRECISIONS` that "auto" stands for. bfloat16 is faster on a CPU for both networks
            (benchmarks/throughput.py), but the table network then learns less in an epoch.
    """

    usual_precision: ClassVar[str] = "float32"

    @abstractmethod
    def encoder(self, image_shape: tuple[int, int, int], latent_dim: int, seed: int) -> "keras.Model":
        """Images (batch, height, width, channels) to mean and raw log-variance (batch, 2 latents)."""

    @abstractmethod
    def decoder(self, output_shape: tuple[int, int, int], latent_dim: int, seed: int) -> "keras.Model":
        """Latents (batch, latents) to outputs (batch, height, width, channels), from which the likelihood is read.

        The likelihood decides how many outputs there are for each pixel.
        """

    @property
    def starts_as_linear_vae(self) -> bool:
        """Whether training starts at the weights of the best linear VAE (`vae_keras.linear_start`)."""
        return False


def seeded_initializers(seed: int) -> Iterator["keras.initializers.Initializer"]:
    """Glorot uniform initialisers, each with a seed of its own, the same ones for the same seed."""
    return (keras.initializers.GlorotUniform(seed=1000 * seed + layer) for layer in count())


def check_image_shape(architecture: str, image_shape: tuple[int, int, int]) -> None:
    """Refuse images whose sides cannot be halved four times.

    Raises:
        UserError: a side is no multiple of 16, or below 32.
    """
    height, width, _ = image_shape
    if min(height, width) < 32 or height % 16 or width % 16:
        raise UserError(
            f"the {architecture} architecture cannot take {height} x {width} images; "
            "pass an --image-size that is a multiple of 16 from 32 up"
        )
