"""Samples: faces decoded from latents that are drawn from the prior."""

from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.latent import decode_latents
from vae_keras.plots import image_figure

IMAGES, COLUMNS = 32, 8


def samples(context: EvaluationContext) -> Evaluation:
    """A figure of 32 decoded samples of the prior, and the contrast of samples and of test images."""
    latents = context.vae.prior.sample(IMAGES, context.config.seed)
    pictures = decode_latents(context.vae, latents)
    contrast = {"samples": float(pictures.std()), "test": float(context.test_unit_images.std())}
    figure = image_figure(
        pictures,
        COLUMNS,
        "Samples",
        f"{IMAGES} latents are drawn from the prior and decoded; the figure shows the mean of p(x|z). The standard "
        f"deviation of the pixels is {contrast['samples']:.3f} in samples and {contrast['test']:.3f} in test images.",
    )
    return Evaluation(
        {"samples.png": figure}, {"samples": {"seed": context.config.seed, "pixel_standard_deviation": contrast}}
    )
