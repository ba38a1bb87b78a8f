"""How close reconstructions are to their originals: PSNR and SSIM, through TensorFlow's implementations."""

from collections.abc import Callable

import numpy as np

from vae_keras.backend import Tensor, tf
from vae_keras.latent import BATCH


def psnr(originals: np.ndarray, reconstructions: np.ndarray) -> float:
    """Peak signal-to-noise ratio, mean over images (n, height, width, channels) in [0, 1], in dB."""
    return _mean_over_images(tf.image.psnr, originals, reconstructions)


def ssim(originals: np.ndarray, reconstructions: np.ndarray) -> float:
    """Structural similarity (Wang et al. 2004, Gaussian window of 11), mean over images in [0, 1]; at most 1."""
    return _mean_over_images(tf.image.ssim, originals, reconstructions)


def _mean_over_images(similarity: Callable[..., Tensor], originals: np.ndarray, others: np.ndarray) -> float:
    """Batch by batch: the filtered copies that SSIM needs would take gigabytes for a few thousand images."""
    batches = range(0, len(originals), BATCH)
    values = [similarity(originals[at : at + BATCH], others[at : at + BATCH], max_val=1.0) for at in batches]
    return float(np.mean(np.concatenate(values), dtype=np.float64))


def reconstruction_quality(originals: np.ndarray, reconstructions: np.ndarray) -> dict[str, float]:
    """Both by name."""
    return {"psnr": psnr(originals, reconstructions), "ssim": ssim(originals, reconstructions)}
