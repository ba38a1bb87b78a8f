"""Distances between samples and test images in the feature space of a network."""

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

from data.images import unit_pixels
from vae_keras import feature_spaces, metrics
from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.evaluation.record import SampleQuality
from vae_keras.latent import decode_latents
from vae_keras.plots import distance_bars

MOST_IMAGES = 5_000  # in each set
Features = Callable[[np.ndarray], np.ndarray]


def sample_quality(context: EvaluationContext) -> Evaluation:
    """Distances in the feature space of the project's own network.

    The first call trains this network to predict the factors of rendered faces.
    """
    space = context.factor_space
    explained = float(np.mean(list(space.r_squared.values())))
    note = (
        f"Features: the last hidden layer of a small network that predicts the factors of rendered faces; it explains "
        f"{explained:.0%} of their variance in unseen faces. Published FID and KID use Inception features, so compare "
        f"these distances only with each other."
    )
    figure, numbers = distances(context, "Sample quality", space.features, note)
    return Evaluation({"sample_quality.png": figure}, {"sample_quality": numbers})


def inception_quality(context: EvaluationContext) -> Evaluation:
    """Distances in the feature space of InceptionV3, with the weights that Keras provides.

    Raises:
        UserError: the weights cannot be downloaded.
    """
    note = (
        "Features: Inception V3 with the weights that Keras provides. Published FID and KID use other weights, so "
        "compare these distances only with each other."
    )
    figure, numbers = distances(context, "Sample quality, Inception", feature_spaces.inception_features, note)
    return Evaluation({"inception_quality.png": figure}, {"inception_quality": numbers})


def distances(
    context: EvaluationContext, title: str, features_of: Features, feature_note: str
) -> tuple[Figure, SampleQuality]:
    """Distances from the test images to samples and, for comparison, to train images and reconstructions.

    There are samples of the prior, and samples of the prior that was fitted after training.

    Args:
        title: the title of the figure.
        features_of: images (n, height, width, channels) in [0, 1] -> features (n, d).
        feature_note: sentences about the features, for the caption.

    Returns:
        A bar chart, and the same distances as numbers. All sets have the same number of images.
    """
    random, split = context.random(), context.data.split
    count = min(len(split.test), len(split.train), MOST_IMAGES)
    others = np.sort(random.permutation(split.train)[:count])
    reconstructed = context.train_posterior.mean[np.searchsorted(split.train, others)]
    decoded = {
        "their reconstructions": reconstructed,
        "samples": context.vae.prior.sample(count, context.config.seed),
    }
    if context.fitted_prior:
        decoded["samples from the fitted prior"] = context.fitted_prior.sample(count, context.config.seed)
    test = features_of(context.test_pixels(context.random_test_images(count)))
    # One set of pictures after the other, because all of them may need gigabytes.
    features = {"train images": features_of(unit_pixels(context.data.dataset.images.batch(others)))}
    features |= {name: features_of(decode_latents(context.vae, latents)) for name, latents in decoded.items()}
    frechet, kernel = {}, {}
    for name, found in features.items():
        frechet[name] = (metrics.frechet_distance(test, found), 0.0)
        kernel[name] = metrics.kernel_distance(test, found)
    figure = distance_bars(
        {"Frechet distance": frechet, "kernel distance ± 2 standard errors": kernel},
        title,
        f"Distance from {count:,} test images to other sets of as many images; smaller is better. The "
        f"kernel distance is unbiased, so it can be below zero. The distance "
        f"to train images shows how small a distance can become. {feature_note} On few images the Frechet distance "
        f"is overestimated.",
    )
    numbers: SampleQuality = {"images": count}
    for name in features:
        numbers[name] = {
            "frechet": frechet[name][0],
            "kernel": kernel[name].value,
            "kernel_error": kernel[name].standard_error,
        }
    return figure, numbers
