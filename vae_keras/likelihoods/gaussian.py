"""Gaussian pixels with one variance for all: fixed, or learned with the network."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from common.ranges import Range
from vae_keras.backend import Tensor, ops
from vae_keras.gaussians import log_density
from vae_keras.likelihoods.likelihood import Likelihood, sum_over_image
from vae_keras.registry import Part, option


def gaussian_nll(images: Tensor, logits: Tensor, log_variance: Tensor) -> Tensor:
    """-log N(x; sigmoid(l), variance) summed over the image, (batch,) in nats; `log_variance` is a number."""
    # answer: the negative log-likelihood of Gaussian pixels
    # -log N(x; sigmoid(l), variance)
    return -sum_over_image(log_density(images, ops.sigmoid(logits), ops.cast(log_variance, logits.dtype)))
    # end of answer


@dataclass(frozen=True)
class Gaussian(Part, Likelihood):
    """x ~ N(sigmoid(l), variance), pixel by pixel, with one fixed variance.

    The default 1/8 makes the loss 4 x squared error + KL, up to a constant. That equals squared
    error + KL on pixels in [-1, 1], the loss of published answers to the same assignment.
    """

    variance: float = option(0.125, "variance of every pixel, on the scale [0, 1]", Range(1e-6, 1e3).refusal)
    is_density: ClassVar[bool] = True
    has_linear_vae: ClassVar[bool] = True

    def nll(self, images: Tensor, outputs: Tensor) -> Tensor:
        return gaussian_nll(images, outputs, math.log(self.variance))

    def mean(self, outputs: Tensor) -> Tensor:
        return ops.sigmoid(outputs)

    def linear_variance(self, slope: np.ndarray) -> float:
        return self.variance


@dataclass(frozen=True)
class LearnedGaussian(Part, Likelihood):
    """x ~ N(sigmoid(l), variance) with one variance for all pixels, learned with the network.

    At its optimum the variance is the mean squared error. It balances the KL and the reconstruction without a number
    chosen by hand (Rybkin et al. 2021, arXiv 2006.13202, section 3).
    """

    is_density: ClassVar[bool] = True
    has_linear_vae: ClassVar[bool] = True
    since_format: ClassVar[int] = 2  # format 1 stored the variance under another name

    def instantiate(self) -> Any:
        """The layer `LearnedVariance`."""
        from vae_keras.likelihoods.learned_variance import LearnedVariance  # defines a layer, so it loads Keras

        return LearnedVariance()
