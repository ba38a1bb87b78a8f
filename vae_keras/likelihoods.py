"""log p(x | z) from the decoder's outputs, and the picture that those outputs stand for.

Each likelihood reads the decoder's last layer as logits l, one for each pixel and channel. The
picture is the mean of p(x | z), and the negative log-likelihood is summed over the picture, in
nats. A likelihood is a frozen value, or a layer where it has something to learn.
"""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import keras
from keras import ops

from vae_keras.gaussians import log_density
from vae_keras.registry import Saved
from vae_keras.types import Tensor


class Likelihood(Protocol):
    """What a VAE asks of a likelihood.

    `is_density` tells whether exp(-nll) integrates to one over pictures in [0, 1] or on the reals,
    so that bits per dimension mean something.
    """

    is_density: ClassVar[bool]

    def nll(self, images: Tensor, logits: Tensor) -> Tensor:
        """-log p(x | z), (batch, height, width, channels) twice -> (batch,), in nats."""

    def picture(self, logits: Tensor) -> Tensor:
        """E[x | z] in [0, 1] for these logits, of their shape."""

    def get_config(self) -> dict[str, Any]:
        """What it was made with."""


def _sum_over_picture(values: Tensor) -> Tensor:
    return ops.sum(values, axis=tuple(range(1, len(values.shape))))


@keras.saving.register_keras_serializable("vae_keras")
@dataclass(frozen=True)
class Bernoulli(Saved):
    """x ~ Bernoulli(sigmoid(l)), pixel by pixel (Kingma & Welling 2014, appendix C.1).

    On grey values it is no normalised density: a perfect picture still costs the image's own entropy.
    """

    is_density: ClassVar[bool] = False

    def nll(self, images: Tensor, logits: Tensor) -> Tensor:
        # answer: the negative log-likelihood of Bernoulli pixels
        # -x log sigmoid(l) - (1 - x) log(1 - sigmoid(l)) = softplus(l) - x l
        return _sum_over_picture(ops.binary_crossentropy(images, logits, from_logits=True))
        # end of answer

    def picture(self, logits: Tensor) -> Tensor:
        return ops.sigmoid(logits)


@keras.saving.register_keras_serializable("vae_keras")
@dataclass(frozen=True)
class ContinuousBernoulli(Saved):
    """p(x) = C(lambda) lambda^x (1 - lambda)^(1 - x) on [0, 1], lambda = sigmoid(l), pixel by pixel.

    Loaiza-Ganem & Cunningham 2019, arXiv 1907.06845, eqs. 5 to 8. In the logit it is the exponential
    family p(x) = exp(x l - A(l)) with A(l) = log((e^l - 1) / l) and mean A'(l). With a = |l|,

        A(l) = max(l, 0) + log((1 - e^-a) / a),  A'(l) = 1/2 + sign(l) (1 / (1 - e^-a) - 1/2 - 1/a)

    which near a = 0 (lambda = 1/2) are differences of large terms; there the Taylor series
    of A(l) - l/2 = log(sinh(l/2) / (l/2)) takes over.
    """

    is_density: ClassVar[bool] = True
    series_below: ClassVar[float] = 1.0

    def nll(self, images: Tensor, logits: Tensor) -> Tensor:
        size, near, away = self._branches(logits)
        # -log p(x) = (1/2 - x) l + l^2/24 - l^4/2880 + l^6/181440 - ...
        series = near * (1 / 24 + near * (-1 / 2880 + near * (1 / 181440 - near / 9676800)))
        around_half = (0.5 - images) * logits + series
        # -log p(x) = max(l, 0) - x l + log((1 - e^-a) / a)
        elsewhere = ops.relu(logits) - images * logits + ops.log1p(-ops.exp(-away)) - ops.log(away)
        return _sum_over_picture(ops.where(size < self.series_below, around_half, elsewhere))

    def picture(self, logits: Tensor) -> Tensor:
        size, near, away = self._branches(logits)
        # E[x] = 1/2 + l/12 - l^3/720 + l^5/30240 - ...
        around_half = 0.5 + logits * (1 / 12 + near * (-1 / 720 + near * (1 / 30240 - near / 1209600)))
        # E[x] = 1/2 + sign(l) (1 / (1 - e^-a) - 1/2 - 1/a)
        elsewhere = 0.5 + ops.sign(logits) * (1 / (1 - ops.exp(-away)) - 0.5 - 1 / away)
        return ops.where(size < self.series_below, around_half, elsewhere)

    def _branches(self, logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """|l|, then l^2 for the series and |l| for the closed form.

        The latter two keep to where each form is finite, so that the branch that is not
        taken cannot spoil the gradient of the other.
        """
        size = ops.abs(logits)
        return size, ops.square(ops.minimum(size, self.series_below)), ops.maximum(size, self.series_below)


def _gaussian_nll(images: Tensor, logits: Tensor, log_variance: Tensor) -> Tensor:
    # answer: the negative log-likelihood of Gaussian pixels
    # -log N(x; sigmoid(l), variance)
    return -_sum_over_picture(log_density(images, ops.sigmoid(logits), ops.cast(log_variance, logits.dtype)))
    # end of answer


@keras.saving.register_keras_serializable("vae_keras")
@dataclass(frozen=True)
class Gaussian(Saved):
    """x ~ N(sigmoid(l), variance), pixel by pixel, with one fixed variance.

    The default 1/8 makes the loss 4 x squared error + KL, up to a constant: squared
    error + KL on pixels in [-1, 1], as published answers to the same assignment have it.
    """

    variance: float = 0.125
    is_density: ClassVar[bool] = True

    def nll(self, images: Tensor, logits: Tensor) -> Tensor:
        return _gaussian_nll(images, logits, math.log(self.variance))

    def picture(self, logits: Tensor) -> Tensor:
        return ops.sigmoid(logits)


@keras.saving.register_keras_serializable("vae_keras")
class LearnedGaussian(keras.layers.Layer):
    """x ~ N(sigmoid(l), variance) with one variance for all pixels, learned with the network.

    At its optimum the variance is the mean squared error, and the KL is weighed against the
    reconstruction without a number chosen by hand (Rybkin et al. 2021, arXiv 2006.13202, section 3).
    The weight is a tenth of the log-variance, which may have a long way to go and so learns
    ten times as fast as a weight of the network.
    """

    is_density: ClassVar[bool] = True
    pace: ClassVar[float] = 10.0

    def __init__(self, **kwargs: Any):
        super().__init__(**{**kwargs, "dtype": keras.config.floatx()})
        self.scaled_log_variance = self.add_weight(
            shape=(),
            initializer=keras.initializers.Constant(math.log(Gaussian.variance) / self.pace),
            name="log_variance",
        )
        self.built = True

    def __repr__(self) -> str:
        return "LearnedGaussian()"  # as the values beside it: what it was made with

    @property
    def log_variance(self) -> Tensor:
        """The logarithm of the variance, ()."""
        return self.pace * self.scaled_log_variance

    @property
    def variance(self) -> float:
        """The variance as it stands, on the scale [0, 1] of pixels."""
        return float(ops.exp(self.log_variance))

    def start_at(self, variance: float) -> None:
        """Let training begin at this variance."""
        self.scaled_log_variance.assign(math.log(variance) / self.pace)

    def nll(self, images: Tensor, logits: Tensor) -> Tensor:
        return _gaussian_nll(images, logits, self.log_variance)

    def picture(self, logits: Tensor) -> Tensor:
        return ops.sigmoid(logits)


LIKELIHOODS: dict[str, type] = {
    "bernoulli": Bernoulli,
    "continuous_bernoulli": ContinuousBernoulli,
    "gaussian": Gaussian,
    "learned_gaussian": LearnedGaussian,
}
