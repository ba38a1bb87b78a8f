"""How near samples come to test images, as a network sees both."""

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

from data.dataset import unit_pixels
from vae_keras import feature_spaces, metrics
from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.evaluation.record import SampleQuality
from vae_keras.latent import decode_latents
from vae_keras.plots import distance_bars

MOST_IMAGES = 5_000
Features = Callable[[np.ndarray], np.ndarray]


def sample_quality(context: EvaluationContext) -> Evaluation:
    """Distances in the feature space of the project's own network, which learns it from rendered faces once."""
    space = feature_spaces.factor_space(context.vae.image_shape[-1])
    explained = float(np.mean(list(space.r_squared.values())))
    note = (
        f"Features: the last hidden layer of a small network that reads the factors of rendered faces (it explains "
        f"{explained:.0%} of what varies in unseen ones). They are not Inception's, so these are not FID and KID as "
        f"published: compare them with one another."
    )
    figure, numbers = distances(context, "Sample quality", space.features, note)
    return Evaluation({"sample_quality.png": figure}, {"sample_quality": numbers})


def inception_quality(context: EvaluationContext) -> Evaluation:
    """The same distances in the feature space of InceptionV3.

    Raises:
        UserError: its weights cannot be fetched.
    """
    note = (
        "Features: Inception V3 with the weights of Keras, which are not those of the network that published values "
        "of FID and KID are measured with: compare them with one another."
    )
    figure, numbers = distances(context, "Sample quality, Inception", feature_spaces.inception_features, note)
    return Evaluation({"inception_quality.png": figure}, {"inception_quality": numbers})


def distances(
    context: EvaluationContext, title: str, features_of: Features, feature_note: str
) -> tuple[Figure, SampleQuality]:
    """From test images to samples, and for comparison to as many train images and their reconstructions."""
    random, split = context.random(), context.data.split
    count = min(len(split.test), len(split.train), MOST_IMAGES)
    others = np.sort(random.permutation(split.train)[:count])
    reconstructed = context.train_posterior.mean[np.searchsorted(split.train, others)]
    sets = {
        "train images": unit_pixels(context.data.dataset.images[others]),
        "their reconstructions": decode_latents(context.vae, reconstructed),
        "samples": decode_latents(context.vae, context.vae.prior.sample(count, context.config.seed)),
    }
    test = features_of(context.test_unit_images[context.random_test_images(count)])
    frechet, kernel = {}, {}
    for name, pictures in sets.items():
        found = features_of(pictures)
        frechet[name] = (metrics.frechet_distance(test, found), 0.0)
        kernel[name] = metrics.kernel_distance(test, found)
    figure = distance_bars(
        {"Frechet distance": frechet, "kernel distance (unbiased), ± 2 standard errors": kernel},
        title,
        f"Distance from {count:,} test images to as many others; smaller is nearer, and train images are as near as "
        f"anything can be. {feature_note} The Frechet distance is too large on few images.",
    )
    numbers: SampleQuality = {"images": count}
    for name in sets:
        numbers[name] = {
            "frechet": frechet[name][0],
            "kernel": kernel[name].distance,
            "kernel_error": kernel[name].standard_error,
        }
    return figure, numbers
