"""log p(x | z) from the decoder's outputs, and the picture that those outputs stand for.

Each likelihood reads the decoder's last layer as logits l, one for each pixel and channel:
the picture is sigmoid(l), and the negative log-likelihood is summed over the picture, in nats.
"""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import keras
from keras import ops

from vae_keras.gaussians import log_density
from vae_keras.outputs import Tensor
from vae_keras.values import Saved


class Likelihood(Protocol):
    """What a VAE asks of a likelihood.

    `is_density` tells whether exp(-nll) integrates to one over pictures in [0, 1] or on the reals,
    so that bits per dimension mean something.
    """

    is_density: ClassVar[bool]

    def nll(self, images: Tensor, logits: Tensor) -> Tensor:
        """-log p(x | z), (batch, height, width, channels) twice -> (batch,), in nats."""

    def picture(self, logits: Tensor) -> Tensor:
        """The picture in [0, 1] to show for these logits, of their shape."""

    def get_config(self) -> dict[str, Any]:
        """Its parameters by name."""


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
        # -x log sigmoid(l) - (1 - x) log(1 - sigmoid(l)) = softplus(l) - x l
        return _sum_over_picture(ops.binary_crossentropy(images, logits, from_logits=True))

    def picture(self, logits: Tensor) -> Tensor:
        return ops.sigmoid(logits)


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
        log_variance = ops.convert_to_tensor(math.log(self.variance), dtype=logits.dtype)
        return -_sum_over_picture(log_density(images, ops.sigmoid(logits), log_variance))

    def picture(self, logits: Tensor) -> Tensor:
        return ops.sigmoid(logits)


LIKELIHOODS: dict[str, type] = {"bernoulli": Bernoulli, "gaussian": Gaussian}
