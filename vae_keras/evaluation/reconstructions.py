"""Test images and their reconstructions."""

import numpy as np

from vae_keras import metrics
from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.evaluation.fidelity import in_words, measured
from vae_keras.latent import decode_latents
from vae_keras.plots import image_figure

IMAGES, PAIRS_A_ROW = 32, 4


def reconstructions(context: EvaluationContext) -> Evaluation:
    """A figure of 32 test images; each has its reconstruction from the posterior mean on its right."""
    places = context.random_test_images(IMAGES)
    originals = context.test_pixels(places)
    decoded = decode_latents(context.vae, context.test_posterior.mean[places])
    pairs = np.stack([originals, decoded], axis=1).reshape(-1, *originals.shape[1:])
    quality = metrics.reconstruction_quality([(originals, decoded)])
    left = measured(context)
    words = f" {' '.join(in_words(left))}" if left else ""
    figure = image_figure(
        pairs,
        2 * PAIRS_A_ROW,
        "Reconstructions",
        f"{len(places)} test images; each has its reconstruction from the posterior mean on its right. "
        f"Means over these images: PSNR {quality['psnr']:.1f} dB, SSIM {quality['ssim']:.3f}.{words}",
        column_labels=["test image", "reconstruction"] * PAIRS_A_ROW,
    )
    return Evaluation(
        {"reconstructions.png": figure},
        {"reconstructions": {"images": context.test_names(places), "psnr": quality["psnr"], "ssim": quality["ssim"]}},
    )
