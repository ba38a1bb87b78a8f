"""Gaussian pixels with one fixed variance for all."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import special

from common.ranges import Range
from vae_keras.backend import Tensor, ops
from vae_keras.gaussians import log_density
from vae_keras.likelihoods.likelihood import LikelihoodWithoutWeights, sum_over_image
from vae_keras.registry import option


def gaussian_nll(images: Tensor, logits: Tensor, log_variance: Tensor) -> Tensor:
    """-log N(x; sigmoid(l), variance) summed over the image, (batch,) in nats; `log_variance` is a number."""
    # answer: the negative log-likelihood of Gaussian pixels
    # -log N(x; sigmoid(l), variance)
    return -sum_over_image(log_density(images, ops.sigmoid(logits), ops.cast(log_variance, logits.dtype)))
    # end of answer


def gaussian_sample(logits: Tensor, variance: float, seed: int) -> np.ndarray:
    """One image from N(sigmoid(l), variance) for each of the logits, of their shape, float32."""
    logits = np.asarray(logits, float)
    noise = np.random.default_rng(seed).standard_normal(logits.shape)
    return (special.expit(logits) + math.sqrt(variance) * noise).astype(np.float32)


@dataclass(frozen=True)
class Gaussian(LikelihoodWithoutWeights):
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

    def sample(self, outputs: Tensor, seed: int) -> np.ndarray:
        return gaussian_sample(outputs, self.variance, seed)

    def linear_variance(self, slope: np.ndarray) -> float:
        return self.variance
