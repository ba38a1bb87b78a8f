"""What a VAE asks of a likelihood: a density of images given the decoder's outputs, and the part that builds it."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vae_keras.backend import Tensor, ops
from vae_keras.registry import Part


class Likelihood:
    """p(x | z), read from the outputs of the decoder. It is a Keras layer where it has weights.

    Attributes:
        outputs_per_channel: how many numbers the decoder gives for each pixel and channel. The decoder's outputs are
            (batch, height, width, channels x outputs_per_channel).
        is_density: whether exp(-nll) integrates to one over images in [0, 1] or on the reals, so that bits per
            dimension are defined.
        has_linear_vae: whether the best linear VAE with this likelihood has a closed form. It has one if the likelihood
            is a Gaussian with one variance for all pixels.
    """

    outputs_per_channel: ClassVar[int] = 1
    is_density: ClassVar[bool]
    has_linear_vae: ClassVar[bool] = False

    def nll(self, images: Tensor, outputs: Tensor) -> Tensor:
        """-log p(x | z) summed over the image, in nats.

        Args:
            images: (batch, height, width, channels) in [0, 1].
            outputs: of the decoder.

        Returns:
            (batch,).
        """
        raise NotImplementedError

    def mean(self, outputs: Tensor) -> Tensor:
        """E[x | z] in [0, 1], (batch, height, width, channels), for outputs of the decoder."""
        raise NotImplementedError

    def sample(self, n: int, seed: int, outputs: Tensor) -> np.ndarray:
        """n images from p(x | z) for each output of the decoder, (n, batch, height, width, channels) float32.

        The same seed gives the same images. A pixel of a Gaussian may lie outside of [0, 1].

        Raises:
            NotImplementedError: this likelihood draws no samples.
        """
        raise NotImplementedError

    def linear_variance(self, slope: np.ndarray) -> float | None:
        """The variance of pixels around their mean, for the linear VAE that training may start from.

        Args:
            slope: the derivative of `mean` in the outputs at the mean image, (height, width, channels).

        Returns:
            None where the linear VAE has to learn it.

        Raises:
            NotImplementedError: this likelihood has no linear counterpart.
        """
        raise NotImplementedError

    def start_at_variance(self, variance: float) -> None:
        """Begin training at this variance of the linear VAE; likelihoods that learn no variance ignore it."""


@dataclass(frozen=True)
class LikelihoodPart(Part):
    """A likelihood as a run chooses it: its options, and how it is built.

    Attributes:
        outputs_per_channel: that of the density.
    """

    outputs_per_channel: ClassVar[int] = 1

    @abstractmethod
    def build(self) -> Likelihood:
        """The density, with its weights if it has any."""


def sum_over_image(values: Tensor) -> Tensor:
    """(batch, height, width, channels) -> (batch,)."""
    return ops.sum(values, axis=tuple(range(1, len(values.shape))))


def logit_family_variance(slope: np.ndarray) -> float:
    """`Likelihood.linear_variance` of an exponential family whose natural parameter is the logit l.

    Args:
        slope: d E[x] / d l at the mean image, (height, width, channels).
    """
    # Var[x] = d E[x] / d l
    return float(slope.mean())
