"""Samples: faces decoded from latents that are drawn from the prior, and from the prior that was fitted afterwards."""

import math

import numpy as np

from data.images import Images
from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.latent import BATCH, decode_latents
from vae_keras.plots import image_figure

IMAGES, COLUMNS = 32, 4  # from each prior


def samples(context: EvaluationContext) -> Evaluation:
    """A figure of 32 decoded samples of each prior, and the contrast of samples and of test images."""
    priors = {"samples": context.vae.prior}
    caption = f"{IMAGES} latents are drawn from the prior and decoded; the figure shows the mean of p(x|z)."
    labels: list[str] = []
    if context.fitted_prior:
        priors["samples from the fitted prior"] = context.fitted_prior
        labels = [*["prior"] * COLUMNS, *["fitted prior"] * COLUMNS]
        caption = (
            f"Left: {caption} Right: the same for the fitted prior, a mixture of {len(context.fitted_prior.weights)} "
            f"Gaussians that was fitted to the latents of the train images after training."
        )
    drawn = {
        name: decode_latents(context.vae, prior.sample(IMAGES, context.config.seed)) for name, prior in priors.items()
    }
    contrast = {name: float(pictures.std()) for name, pictures in drawn.items()}
    contrast["test"] = pixel_deviation(context.test_images)
    spread = [f"{value:.3f} in {'test images' if name == 'test' else name}" for name, value in contrast.items()]
    # (priors, rows, columns, ...) -> (rows, priors, columns, ...)
    shape = (-1, COLUMNS, *context.vae.image_shape)
    pictures = np.stack([pictures.reshape(shape) for pictures in drawn.values()], axis=1)
    figure = image_figure(
        pictures.reshape(-1, *context.vae.image_shape),
        COLUMNS * len(drawn),
        "Samples",
        f"{caption} The standard deviation of the pixels is {' and '.join(spread)}.",
        column_labels=labels,
    )
    return Evaluation(
        {"samples.png": figure}, {"samples": {"seed": context.config.seed, "pixel_standard_deviation": contrast}}
    )


def pixel_deviation(images: Images) -> float:
    """The standard deviation of all pixels of uint8 images, for pixels in [0, 1]."""
    total = squares = count = 0
    for batch in images.batches(BATCH):
        pixels = batch.astype(np.int64)
        total, squares, count = total + int(pixels.sum()), squares + int(np.sum(pixels * pixels)), count + pixels.size
    # n^2 var = n sum x^2 - (sum x)^2, in whole numbers: no error but the last division's
    return math.sqrt(count * squares - total * total) / (255 * count)
