"""Faces that nobody has: decoded from the prior."""

from vae_keras.exhibits.study import Exhibit, Study
from vae_keras.latent import decode_latents
from vae_keras.plots import picture_figure

IMAGES, COLUMNS = 32, 8


def samples(study: Study) -> Exhibit:
    """32 latents from N(0, I), decoded."""
    latents = study.random().standard_normal((IMAGES, study.vae.latent_dim))
    pictures = decode_latents(study.vae, latents)
    contrast = {"samples": float(pictures.std()), "test": float(study.test_pictures.std())}
    figure = picture_figure(
        pictures,
        COLUMNS,
        "Samples",
        f"{IMAGES} latents drawn from the prior N(0, I) and decoded; the mean of p(x|z) is shown. Standard "
        f"deviation of the pixels: {contrast['samples']:.3f}, of test images {contrast['test']:.3f}.",
    )
    return Exhibit(
        {"samples.png": figure}, {"samples": {"seed": study.config.seed, "pixel_standard_deviation": contrast}}
    )
