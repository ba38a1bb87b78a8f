"""The base class of all architectures, and functions that they share."""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, ClassVar

import numpy as np

from common.errors import UserError
from common.ranges import Range
from vae_keras.backend import keras
from vae_keras.registry import Part, look_up

# Our names of the precisions, and Keras's names for them. The weights are float32 in every precision.
PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


# Height and width of images, in pixels: every network halves them four times, and needs two of what is left.
SIDES = Range(32, 2048, step=16)


@dataclass(frozen=True)
class Architecture(Part):
    """Builds the encoder and the decoder of a VAE.

    Attributes:
        usual_precision: the precision that "auto" selects, a name in `PRECISIONS`. bfloat16 is faster on a CPU for both
            networks (benchmarks/throughput.py), but with bfloat16 the table network learns less in an epoch.
    """

    usual_precision: ClassVar[str] = "float32"

    @classmethod
    def precision_of(cls, asked: str) -> str:
        """The precision of that name; for "auto" the usual one.

        Raises:
            UserError: an unknown name.
        """
        if asked == "auto":
            return cls.usual_precision
        look_up("precision", PRECISIONS, asked)
        return asked

    @classmethod
    def check_sides(cls, *sides: int) -> None:
        """Refuse images with a height or width in pixels that is not in `SIDES`.

        Raises:
            UserError: there is such a side.
        """
        for side in sides:
            if reason := SIDES.refusal(side):
                raise UserError(f"--image-size {side} {reason}")

    @abstractmethod
    def encoder(self, image_shape: tuple[int, int, int], latent_dim: int, seed: int) -> "keras.Model":
        """The encoder, from images (batch, height, width, channels) to mean and raw log-variance (batch, 2 latents)."""

    @abstractmethod
    def decoder(self, output_shape: tuple[int, int, int], latent_dim: int, seed: int) -> "keras.Model":
        """The decoder, from latents (batch, latents) to the parameters of the likelihood, of `output_shape`.

        The likelihood determines the number of output channels.
        """

    def start(self, vae: Any, images: Callable[[], np.ndarray]) -> None:
        """Give an untrained VAE of this architecture the weights with which training starts; random ones by default.

        Args:
            vae: the VAE (`vae_keras.model.VAE`).
            images: returns all images that training may show, (n, height, width, channels) in [0, 1].
        """


def seeded_initializers(seed: int) -> Iterator["keras.initializers.Initializer"]:
    """Glorot uniform initialisers with different seeds. The same `seed` gives the same initialisers."""
    return (keras.initializers.GlorotUniform(seed=1000 * seed + layer) for layer in count())
