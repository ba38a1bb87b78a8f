"""The layer behind the likelihood `LearnedGaussian`."""

import math
from typing import Any, ClassVar

import keras
import numpy as np
from keras import ops

from vae_keras.backend import Tensor
from vae_keras.likelihoods.gaussian import Gaussian, gaussian_nll, gaussian_sample
from vae_keras.likelihoods.likelihood import Likelihood


class LearnedVariance(Likelihood, keras.layers.Layer):
    """x ~ N(sigmoid(l), variance), with the logarithm of the variance as a weight.

    The weight is a tenth of the log-variance. The log-variance may have a long way to go, and so it learns ten times as
    fast as a weight of the network.
    """

    is_density: ClassVar[bool] = True
    has_linear_vae: ClassVar[bool] = True
    pace: ClassVar[float] = 10.0

    def __init__(self, **kwargs: Any):
        super().__init__(**{**kwargs, "dtype": keras.config.floatx()})
        self.scaled_log_variance = self.add_weight(
            shape=(),
            initializer=keras.initializers.Constant(math.log(Gaussian().variance) / self.pace),
            name="log_variance",
        )
        self.built = True

    @property
    def log_variance(self) -> Tensor:
        """The logarithm of the variance, ()."""
        return self.pace * self.scaled_log_variance

    @property
    def variance(self) -> float:
        """The present variance, on the scale [0, 1] of pixels."""
        return float(ops.exp(self.log_variance))

    def start_at_variance(self, variance: float) -> None:
        """Begin training at this variance."""
        self.scaled_log_variance.assign(math.log(variance) / self.pace)

    def nll(self, images: Tensor, outputs: Tensor) -> Tensor:
        return gaussian_nll(images, outputs, self.log_variance)

    def mean(self, outputs: Tensor) -> Tensor:
        return ops.sigmoid(outputs)

    def sample(self, n: int, seed: int, outputs: Tensor) -> np.ndarray:
        return gaussian_sample(n, seed, outputs, self.variance)

    def linear_variance(self, slope: np.ndarray) -> None:
        """None: the linear VAE learns its variance, too."""
        return None
