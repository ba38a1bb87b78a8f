"""How close reconstructions are to their originals: PSNR and SSIM, through TensorFlow's implementations."""

import numpy as np
import tensorflow as tf


def psnr(originals: np.ndarray, reconstructions: np.ndarray) -> float:
    """Peak signal-to-noise ratio, mean over images (n, height, width, channels) in [0, 1], in dB."""
    return float(tf.reduce_mean(tf.image.psnr(originals, reconstructions, max_val=1.0)))


def ssim(originals: np.ndarray, reconstructions: np.ndarray) -> float:
    """Structural similarity (Wang et al. 2004, Gaussian window of 11), mean over images in [0, 1]; at most 1."""
    return float(tf.reduce_mean(tf.image.ssim(originals, reconstructions, max_val=1.0)))


def reconstruction_quality(originals: np.ndarray, reconstructions: np.ndarray) -> dict[str, float]:
    """Both by name."""
    return {"psnr": psnr(originals, reconstructions), "ssim": ssim(originals, reconstructions)}
