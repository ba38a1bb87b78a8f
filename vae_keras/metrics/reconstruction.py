"""Similarity of reconstructions and originals: PSNR and SSIM, as implemented in TensorFlow."""

from collections.abc import Callable

import numpy as np

from vae_keras.backend import Tensor, tf
from vae_keras.latent import BATCH


def psnr(originals: np.ndarray, reconstructions: np.ndarray) -> float:
    """Peak signal-to-noise ratio, mean over images (n, height, width, channels) in [0, 1], in dB."""
    return _mean_over_images(tf.image.psnr, originals, reconstructions)


def ssim(originals: np.ndarray, reconstructions: np.ndarray) -> float:
    """Structural similarity (Wang et al. 2004), at most 1: mean over images in [0, 1], Gaussian window of 11 pixels."""
    return _mean_over_images(tf.image.ssim, originals, reconstructions)


def _mean_over_images(similarity: Callable[..., Tensor], originals: np.ndarray, others: np.ndarray) -> float:
    """The mean similarity over all images, computed in batches.

    SSIM makes filtered copies of its images, which would need gigabytes for a few thousand images at once.
    """
    batches = range(0, len(originals), BATCH)
    values = [similarity(originals[at : at + BATCH], others[at : at + BATCH], max_val=1.0) for at in batches]
    return float(np.mean(np.concatenate(values), dtype=np.float64))


def reconstruction_quality(originals: np.ndarray, reconstructions: np.ndarray) -> dict[str, float]:
    """PSNR in dB and SSIM, by the names `psnr` and `ssim`."""
    return {"psnr": psnr(originals, reconstructions), "ssim": ssim(originals, reconstructions)}
