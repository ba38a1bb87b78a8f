"""Gaussian pixels with one fixed variance for all."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import special

from common.ranges import Range
from vae_keras.backend import Tensor, ops
from vae_keras.gaussians import log_density
from vae_keras.likelihoods.likelihood import Likelihood, LikelihoodPart, sum_over_image
from vae_keras.registry import option


def gaussian_nll(images: Tensor, logits: Tensor, log_variance: Tensor) -> Tensor:
    """-log N(x; sigmoid(l), variance) summed over the image, (batch,) in nats; `log_variance` is a number."""
    # answer: the negative log-likelihood of Gaussian pixels
    # -log N(x; sigmoid(l), variance)
    return -sum_over_image(log_density(images, ops.sigmoid(logits), ops.cast(log_variance, logits.dtype)))
    # end of answer


def gaussian_sample(n: int, seed: int, logits: Tensor, variance: float) -> np.ndarray:
    """n images from N(sigmoid(l), variance) for each of the logits, (n, *shape of the logits) float32."""
    noise = np.random.default_rng(seed).standard_normal((n, *np.shape(logits)))
    return (special.expit(np.asarray(logits, float)) + math.sqrt(variance) * noise).astype(np.float32)


@dataclass(frozen=True)
class GaussianPixels(Likelihood):
    """x ~ N(sigmoid(l), variance), pixel by pixel, with one fixed variance."""

    variance: float
    is_density: ClassVar[bool] = True
    has_linear_vae: ClassVar[bool] = True

    def nll(self, images: Tensor, outputs: Tensor) -> Tensor:
        return gaussian_nll(images, outputs, math.log(self.variance))

    def mean(self, outputs: Tensor) -> Tensor:
        return ops.sigmoid(outputs)

    def sample(self, n: int, seed: int, outputs: Tensor) -> np.ndarray:
        return gaussian_sample(n, seed, outputs, self.variance)

    def linear_variance(self, slope: np.ndarray) -> float:
        return self.variance


@dataclass(frozen=True)
class Gaussian(LikelihoodPart):
    """x ~ N(sigmoid(l), variance), pixel by pixel, with one fixed variance.

    The default 1/8 makes the loss 4 x squared error + KL, up to a constant. That equals squared
    error + KL on pixels in [-1, 1], the loss of published answers to the same assignment.
    """

    variance: float = option(0.125, "variance of every pixel, on the scale [0, 1]", Range(1e-6, 1e3).refusal)

    def build(self) -> GaussianPixels:
        return GaussianPixels(self.variance)
