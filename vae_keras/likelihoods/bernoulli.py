"""Pixels as coins: the likelihood of binary images, which is also used on grey values."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import special

from vae_keras.backend import Tensor, ops
from vae_keras.likelihoods.likelihood import Likelihood, LikelihoodPart, logit_family_variance, sum_over_image


class BernoulliPixels(Likelihood):
    """x ~ Bernoulli(sigmoid(l)), pixel by pixel, with the decoder's output as logit l (Kingma & Welling 2014, C.1).

    On grey values it is not a normalised density. A perfect reconstruction still costs the entropy of the image.
    """

    is_density: ClassVar[bool] = False

    def nll(self, images: Tensor, outputs: Tensor) -> Tensor:
        # answer: the negative log-likelihood of Bernoulli pixels
        # -x log sigmoid(l) - (1 - x) log(1 - sigmoid(l)) = softplus(l) - x l
        return sum_over_image(ops.binary_crossentropy(images, outputs, from_logits=True))
        # end of answer

    def mean(self, outputs: Tensor) -> Tensor:
        return ops.sigmoid(outputs)

    def sample(self, n: int, seed: int, outputs: Tensor) -> np.ndarray:
        uniform = np.random.default_rng(seed).random((n, *np.shape(outputs)))
        return (uniform < special.expit(np.asarray(outputs, float))).astype(np.float32)

    def linear_variance(self, slope: np.ndarray) -> float:
        return logit_family_variance(slope)


@dataclass(frozen=True)
class Bernoulli(LikelihoodPart):
    """x ~ Bernoulli(sigmoid(l)), pixel by pixel, with the decoder's output as logit l."""

    def build(self) -> BernoulliPixels:
        return BernoulliPixels()
