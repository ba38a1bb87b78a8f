"""Numbers on the test images."""

from typing import Any

import numpy as np

from vae_keras import metrics
from vae_keras.exhibits.study import Exhibit, Study
from vae_keras.latent import decode_latents


def held_out(study: Study) -> Exhibit:
    """ELBO and its terms, PSNR and SSIM of reconstructions from the posterior mean, active units."""
    bound = metrics.elbo(study.vae, study.test_images)
    originals = (study.test_images / 255.0).astype(np.float32)
    decoded = decode_latents(study.vae, study.test_posterior.mean)
    numbers: dict[str, Any] = {
        **bound._asdict(),
        "psnr": metrics.psnr(originals, decoded),
        "ssim": metrics.ssim(originals, decoded),
        "active_units": metrics.active_units(study.test_posterior.mean),
        "images": len(study.test_images),
    }
    if study.vae.likelihood.is_density:
        numbers["bits_per_dim"] = metrics.bits_per_dimension(bound.elbo, study.vae.image_shape)
    return Exhibit({}, {"test": numbers})
