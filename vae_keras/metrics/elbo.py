"""The evidence lower bound on held-out images, and bits per dimension where they mean something."""

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from data.pipelines import evaluation_batches
from vae_keras.latent import BATCH

if TYPE_CHECKING:
    from vae_keras.model import VAE


class Elbo(NamedTuple):
    """The bound and its terms, means over images in nats; one posterior sample for each image."""

    elbo: float
    reconstruction_nll: float
    kl: float


def elbo(vae: "VAE", images: np.ndarray) -> Elbo:
    """The ELBO of images (n, height, width, channels) uint8, by the model's own test step."""
    terms = vae.evaluate(evaluation_batches(images, BATCH), verbose=0, return_dict=True)
    return Elbo(*(float(terms[name]) for name in Elbo._fields))


def bits_per_dimension(elbo_in_nats: float, image_shape: tuple[int, ...]) -> float:
    """-elbo in bits a pixel and channel, for pixels of 256 levels.

    A density on [0, 1] gives each level an interval of 1/256, hence log2 256 on top of -elbo / (D ln 2).
    """
    return -elbo_in_nats / (math.prod(image_shape) * math.log(2.0)) + math.log2(256)
