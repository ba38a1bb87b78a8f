"""Samples of the product of the marginals of q(z), made by permuting codes across a batch."""

from typing import Any

import keras
from keras import ops

from vae_keras.backend import Tensor


def permuted(latents: Tensor, seed: Any) -> Tensor:
    """Each column of latents (batch, latents) in a random order of its own: samples of prod_j q(z_j)."""
    # answer: codes permuted across the batch
    order = ops.argsort(keras.random.uniform(ops.shape(latents), seed=seed), axis=0)
    return ops.take_along_axis(latents, order, axis=0)
    # end of answer
