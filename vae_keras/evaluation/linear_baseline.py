"""The linear baseline: the best linear model with the same number of latents."""

from typing import NamedTuple

import numpy as np

from data.images import unit_pixels
from vae_keras import metrics
from vae_keras.augmented import shown_in_training
from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.evaluation.record import Baseline, Record
from vae_keras.latent import decode_latents
from vae_keras.likelihoods import Likelihood
from vae_keras.linear_vae import FEWEST_IMAGES
from vae_keras.plots import image_figure
from vae_keras.priors import Prior, StandardNormal

IMAGES, TRIPLES_A_ROW = 24, 3
AT_ONCE = 4_096  # test images


class LinearModel(NamedTuple):
    """The linear model that a VAE is compared with.

    Attributes:
        key: the section of metrics.json with its numbers, and the name of its figure.
        name: the model in a sentence.
        variance: the variance of its Gaussian likelihood; None if the variance is learned, 0 for PCA.
        why: a sentence that says why the VAE is compared with this model.
    """

    key: str
    name: str
    variance: float | None
    why: str


def linear_model_of(likelihood: Likelihood, prior: Prior) -> LinearModel:
    """The linear model to compare with a VAE of this likelihood and this prior."""
    if likelihood.has_linear_vae:
        variance = likelihood.linear_variance(np.zeros(0))
        kind = "one learned variance" if variance is None else f"variance {variance:g}, as in the VAE"
        why = f"The linear VAE is the best one with a Gaussian likelihood and {kind}; its weights have a closed form."
        if not isinstance(prior, StandardNormal):
            why += " Its prior is N(0, I), which is not the prior of this VAE."
        return LinearModel("linear_vae", "the linear VAE", variance, why)
    why = (
        "The comparison is with PCA, because the best linear VAE with this likelihood has no closed form. PCA has the "
        "smallest squared error of all linear models on the images that it is fitted on, and it has no KL term."
    )
    return LinearModel("pca", "PCA", 0.0, why)


def linear_baseline(context: EvaluationContext) -> Evaluation:
    """The numbers of the best linear model on the test images, and its reconstructions next to those of the VAE.

    The linear model has as many latents as the VAE. It is fitted on the images that training showed the VAE, mirrored
    and shifted images included. With fewer than three train images the evaluation is empty.
    """
    if len(context.data.split.train) < FEWEST_IMAGES:
        return Evaluation({}, {})
    images = shown_in_training(context.config, context.data)
    model = linear_model_of(context.vae.likelihood, context.vae.prior)
    linear = metrics.fit_linear_vae(images, context.vae.latent_dim, model.variance, overwrite=True)
    train_images = len(images)
    del images  # they may be half a gigabyte

    test = context.test_images
    quality = metrics.reconstruction_quality(
        (images, np.clip(linear.reconstruct(images), 0, 1)) for images in map(unit_pixels, test.batches(AT_ONCE))
    )
    numbers: Baseline = {
        "psnr": quality["psnr"],
        "ssim": quality["ssim"],
        "latents_in_use": len(linear.eigenvalues),
        "images": test.count,
        "train_images": train_images,
        "verdict": "",
    }
    if model.variance != 0:
        bound = linear.elbo_of_batches(map(unit_pixels, test.batches(AT_ONCE)))
        numbers |= {
            "elbo": bound.elbo,
            "reconstruction_nll": bound.reconstruction_nll,
            "kl": bound.kl,
            "bits_per_dim": metrics.bits_per_dimension(bound.elbo, context.vae.image_shape),
            "variance": linear.variance,
        }
    numbers["verdict"] = verdict(context, model, numbers)

    places = context.random_test_images(IMAGES)
    shown = context.test_pixels(places)
    ours, theirs = decode_latents(context.vae, context.test_posterior.mean[places]), linear.reconstruct(shown)
    figure = image_figure(
        np.stack([shown, ours, np.clip(theirs, 0, 1)], axis=1).reshape(-1, *context.vae.image_shape),
        3 * TRIPLES_A_ROW,
        f"The VAE and {model.name}",
        f"Test images and their reconstructions by the VAE and by {model.name}, with {context.vae.latent_dim} latents "
        f"each. The linear model is fitted on {train_images:,} images, as training shows them. {numbers['verdict']}",
        column_labels=["test image", "VAE", model.name.removeprefix("the ")] * TRIPLES_A_ROW,
    )
    record: Record = {"pca": numbers} if model.variance == 0 else {"linear_vae": numbers}
    return Evaluation({f"{model.key}.png": figure}, record)


def verdict(context: EvaluationContext, model: LinearModel, linear: Baseline) -> str:
    """Sentences that say which model is better on the test images, and why the VAE is compared with this model."""
    if "elbo" in linear:
        ours, theirs, unit, measure = context.test_elbo.elbo, linear["elbo"], "nats", "test ELBO"
    else:
        ours, theirs, unit, measure = context.test_quality["psnr"], linear["psnr"], "dB", "test PSNR"
    numbers = f"{measure} {ours:.1f} against {theirs:.1f} {unit}"
    result = "beats" if ours > theirs else "loses to"
    meaning = "" if ours > theirs else " The linear model describes unseen images better."
    return f"The VAE {result} {model.name}: {numbers}.{meaning} {model.why}"
