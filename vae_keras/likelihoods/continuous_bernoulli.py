"""The Bernoulli likelihood, normalised on [0, 1]."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vae_keras.backend import Tensor, ops
from vae_keras.likelihoods.likelihood import Likelihood, LikelihoodPart, logit_family_variance, sum_over_image


class ContinuousBernoulliPixels(Likelihood):
    """p(x) = C(lambda) lambda^x (1 - lambda)^(1 - x) on [0, 1], lambda = sigmoid(l), pixel by pixel.

    Loaiza-Ganem & Cunningham 2019, arXiv 1907.06845, eqs. 5 to 8. In the logit it is the exponential
    family p(x) = exp(x l - A(l)) with A(l) = log((e^l - 1) / l) and mean A'(l). With a = |l|,

        A(l) = max(l, 0) + log((1 - e^-a) / a),  A'(l) = 1/2 + sign(l) (1 / (1 - e^-a) - 1/2 - 1/a)

    Near a = 0 (lambda = 1/2) these are differences of large terms. There the Taylor series of
    A(l) - l/2 = log(sinh(l/2) / (l/2)) is used.
    """

    is_density: ClassVar[bool] = True
    series_below: ClassVar[float] = 1.0

    def nll(self, images: Tensor, outputs: Tensor) -> Tensor:
        size, near, away = self._branches(outputs)
        # -log p(x) = (1/2 - x) l + l^2/24 - l^4/2880 + l^6/181440 - ...
        series = near * (1 / 24 + near * (-1 / 2880 + near * (1 / 181440 - near / 9676800)))
        around_half = (0.5 - images) * outputs + series
        # -log p(x) = max(l, 0) - x l + log((1 - e^-a) / a)
        elsewhere = ops.relu(outputs) - images * outputs + ops.log1p(-ops.exp(-away)) - ops.log(away)
        return sum_over_image(ops.where(size < self.series_below, around_half, elsewhere))

    def mean(self, outputs: Tensor) -> Tensor:
        size, near, away = self._branches(outputs)
        # E[x] = 1/2 + l/12 - l^3/720 + l^5/30240 - ...
        around_half = 0.5 + outputs * (1 / 12 + near * (-1 / 720 + near * (1 / 30240 - near / 1209600)))
        # E[x] = 1/2 + sign(l) (1 / (1 - e^-a) - 1/2 - 1/a)
        elsewhere = 0.5 + ops.sign(outputs) * (1 / (1 - ops.exp(-away)) - 0.5 - 1 / away)
        return ops.where(size < self.series_below, around_half, elsewhere)

    def sample(self, n: int, seed: int, outputs: Tensor) -> np.ndarray:
        logits = np.asarray(outputs, float)
        size, uniform = np.maximum(np.abs(logits), 1e-6), np.random.default_rng(seed).random((n, *logits.shape))
        # The inverse of the distribution function of exp(-a x) on [0, 1]; x becomes 1 - x for a positive logit.
        falling = -np.log1p(uniform * np.expm1(-size)) / size
        return np.where(logits > 0, 1 - falling, falling).astype(np.float32)

    def linear_variance(self, slope: np.ndarray) -> float:
        return logit_family_variance(slope)

    def _branches(self, logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """|l|, then l^2 for the series and |l| for the closed form.

        The latter two stay where each form is finite, so that the branch that is not taken
        cannot spoil the gradient of the other.
        """
        size = ops.abs(logits)
        return size, ops.square(ops.minimum(size, self.series_below)), ops.maximum(size, self.series_below)


@dataclass(frozen=True)
class ContinuousBernoulli(LikelihoodPart):
    """p(x) = C(lambda) lambda^x (1 - lambda)^(1 - x) on [0, 1], lambda = sigmoid(l), pixel by pixel."""

    def build(self) -> ContinuousBernoulliPixels:
        return ContinuousBernoulliPixels()
