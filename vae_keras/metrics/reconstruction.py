"""Similarity of reconstructions and originals: PSNR and SSIM."""

import functools
import math
from collections.abc import Callable, Iterable

import numpy as np

from vae_keras.backend import Tensor, tf
from vae_keras.latent import BATCH

# The PSNR of rounding to 256 grey values, 58.9 dB: the squared error of a pixel is 1/12 of (1/255)^2 on average.
PSNR_OF_ROUNDING = 10 * math.log10(12 * 255**2)

WINDOW, DEVIATION = 11, 1.5  # pixels: the side and the standard deviation of SSIM's window
C1, C2 = 0.01**2, 0.03**2  # SSIM's constants for pixels in [0, 1]

Pair = tuple[np.ndarray, np.ndarray]  # originals and reconstructions, (batch, height, width, channels) in [0, 1] each


def psnr(originals: np.ndarray, reconstructions: np.ndarray) -> float:
    """Peak signal-to-noise ratio, mean over images (n, height, width, channels) in [0, 1], in dB.

    An image counts with at most the PSNR of rounding to 256 grey values: its pixels are not known better, and one
    image without any error would make the mean infinite.
    """

    return _mean(_of_each_image(_bounded_psnr, originals, reconstructions))


def ssim(originals: np.ndarray, reconstructions: np.ndarray) -> float:
    """Structural similarity (Wang et al. 2004), at most 1: mean over images in [0, 1], Gaussian window of 11 pixels."""
    return _mean(_of_each_image(_ssim, originals, reconstructions))


def similarities(pairs: Iterable[Pair]) -> dict[str, np.ndarray]:
    """PSNR in dB and SSIM of each image of these batches, (n,) each, by the names `psnr` and `ssim`."""
    values = [[_of_each_image(similarity, *pair) for similarity in (_bounded_psnr, _ssim)] for pair in pairs]
    return dict(zip(("psnr", "ssim"), map(np.concatenate, zip(*values, strict=True)), strict=True))


def reconstruction_quality(pairs: Iterable[Pair]) -> dict[str, float]:
    """PSNR in dB and SSIM, means over the images of these batches, by the names `psnr` and `ssim`."""
    return {name: _mean(values) for name, values in similarities(pairs).items()}


def _bounded_psnr(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    return np.minimum(tf.image.psnr(some, others, 1.0), PSNR_OF_ROUNDING)


def _ssim(some: np.ndarray, others: np.ndarray) -> Tensor:
    """SSIM of each image, (batch,): the mean over windows and channels (Wang et al. 2004, equation 13).

    `tf.image.ssim` gives the same, more slowly: it does not filter by rows and then by columns.
    """
    mean, other_mean = _in_windows(some), _in_windows(others)
    # E x^2 + E y^2 - (E x)^2 - (E y)^2, and E xy - E x E y
    variances = _in_windows(some**2 + others**2) - mean**2 - other_mean**2
    covariance = _in_windows(some * others) - mean * other_mean
    luminance = (2 * mean * other_mean + C1) / (mean**2 + other_mean**2 + C1)
    structure = (2 * covariance + C2) / (variances + C2)
    return tf.reduce_mean(luminance * structure, axis=(1, 2, 3))


def _in_windows(images: np.ndarray) -> Tensor:
    """The mean of each window of images (batch, height, width, channels), weighted by a Gaussian."""
    rows, columns = map(_windows, images.shape[1:3])
    return tf.einsum("rh,nhwc,kw->nrkc", rows, tf.cast(images, tf.float32), columns)


@functools.cache
def _windows(side: int) -> np.ndarray:
    """The weights of each pixel of a line in each window on it, (side - 10, side) float32."""
    weights = np.exp(-0.5 * ((np.arange(WINDOW) - WINDOW // 2) / DEVIATION) ** 2)
    lines = [np.pad(weights / weights.sum(), (start, side - WINDOW - start)) for start in range(side - WINDOW + 1)]
    return np.array(lines, np.float32)


def _of_each_image(similarity: Callable[..., Tensor], originals: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The similarity of each image, (n,), computed in batches.

    SSIM makes filtered copies of its images, which would need gigabytes for a few thousand images at once.
    """
    batches = range(0, len(originals), BATCH)
    values = [similarity(originals[at : at + BATCH], others[at : at + BATCH]) for at in batches]
    return np.concatenate(values)


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values, dtype=np.float64))
