"""Similarity of reconstructions and originals: PSNR and SSIM, as implemented in TensorFlow."""

import math
from collections.abc import Callable, Iterable

import numpy as np

from vae_keras.backend import Tensor, tf
from vae_keras.latent import BATCH

# The PSNR of rounding to 256 grey values, 58.9 dB: the squared error of a pixel is 1/12 of (1/255)^2 on average.
PSNR_OF_ROUNDING = 10 * math.log10(12 * 255**2)

Pair = tuple[np.ndarray, np.ndarray]  # originals and reconstructions, (batch, height, width, channels) in [0, 1] each


def psnr(originals: np.ndarray, reconstructions: np.ndarray) -> float:
    """Peak signal-to-noise ratio, mean over images (n, height, width, channels) in [0, 1], in dB.

    An image counts with at most the PSNR of rounding to 256 grey values: its pixels are not known better, and one
    image without any error would make the mean infinite.
    """

    return _mean(_of_each_image(_bounded_psnr, originals, reconstructions))


def ssim(originals: np.ndarray, reconstructions: np.ndarray) -> float:
    """Structural similarity (Wang et al. 2004), at most 1: mean over images in [0, 1], Gaussian window of 11 pixels."""
    return _mean(_of_each_image(tf.image.ssim, originals, reconstructions))


def similarities(pairs: Iterable[Pair]) -> dict[str, np.ndarray]:
    """PSNR in dB and SSIM of each image of these batches, (n,) each, by the names `psnr` and `ssim`."""
    values = [[_of_each_image(similarity, *pair) for similarity in (_bounded_psnr, tf.image.ssim)] for pair in pairs]
    return dict(zip(("psnr", "ssim"), map(np.concatenate, zip(*values, strict=True)), strict=True))


def reconstruction_quality(pairs: Iterable[Pair]) -> dict[str, float]:
    """PSNR in dB and SSIM, means over the images of these batches, by the names `psnr` and `ssim`."""
    return {name: _mean(values) for name, values in similarities(pairs).items()}


def _bounded_psnr(some: np.ndarray, others: np.ndarray, max_val: float) -> np.ndarray:
    return np.minimum(tf.image.psnr(some, others, max_val), PSNR_OF_ROUNDING)


def _of_each_image(similarity: Callable[..., Tensor], originals: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The similarity of each image, (n,), computed in batches.

    SSIM makes filtered copies of its images, which would need gigabytes for a few thousand images at once.
    """
    batches = range(0, len(originals), BATCH)
    values = [similarity(originals[at : at + BATCH], others[at : at + BATCH], max_val=1.0) for at in batches]
    return np.concatenate(values)


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values, dtype=np.float64))
