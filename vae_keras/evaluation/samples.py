"""Faces that nobody has: decoded from the prior."""

from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.latent import decode_latents
from vae_keras.plots import image_figure

IMAGES, COLUMNS = 32, 8


def samples(context: EvaluationContext) -> Evaluation:
    """32 latents from N(0, I), decoded."""
    latents = context.vae.prior.sample(IMAGES, context.config.seed)
    pictures = decode_latents(context.vae, latents)
    contrast = {"samples": float(pictures.std()), "test": float(context.test_unit_images.std())}
    figure = image_figure(
        pictures,
        COLUMNS,
        "Samples",
        f"{IMAGES} latents drawn from the prior N(0, I) and decoded; the mean of p(x|z) is shown. Standard "
        f"deviation of the pixels: {contrast['samples']:.3f}, of test images {contrast['test']:.3f}.",
    )
    return Evaluation(
        {"samples.png": figure}, {"samples": {"seed": context.config.seed, "pixel_standard_deviation": contrast}}
    )
