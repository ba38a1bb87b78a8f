"""The evidence lower bound on held-out images, and bits per dimension for likelihoods that are densities."""

import math
from typing import TYPE_CHECKING

import numpy as np

from data.images import Images
from data.pipelines import evaluation_batches, reading
from vae_keras.elbo import Elbo
from vae_keras.latent import BATCH

if TYPE_CHECKING:
    from vae_keras.model import VAE


def elbo(vae: "VAE", images: Images | np.ndarray) -> Elbo:
    """The ELBO of n images of uint8 pixels, computed by the model's test step."""
    with reading():
        terms = vae.evaluate(evaluation_batches(images, BATCH), verbose=0, return_dict=True)
    return Elbo(*(float(terms[name]) for name in Elbo._fields))


def bits_per_dimension(elbo_in_nats: float, image_shape: tuple[int, ...]) -> float:
    """-elbo in bits per dimension (one channel of one pixel), for pixels with 256 levels.

    In a density on [0, 1], each level has an interval of width 1/256. So log2 256 is added to -elbo / (D ln 2), where D
    is the number of dimensions.
    """
    return -elbo_in_nats / (math.prod(image_shape) * math.log(2.0)) + math.log2(256)
