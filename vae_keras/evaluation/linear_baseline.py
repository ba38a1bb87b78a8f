"""The honest baseline: would a linear model have done as well?"""

from typing import NamedTuple

import numpy as np

from vae_keras import metrics
from vae_keras.augmented import shown_in_training
from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.evaluation.record import Baseline, Record
from vae_keras.latent import decode_latents
from vae_keras.likelihoods import Likelihood
from vae_keras.metrics.linear_vae import FEWEST_IMAGES
from vae_keras.plots import image_figure

IMAGES, TRIPLES_A_ROW = 24, 3


class LinearModel(NamedTuple):
    """Which linear model a VAE is compared with.

    Attributes:
        key: of its numbers in metrics.json.
        name: in sentences.
        variance: of its Gaussian likelihood; None if it is learned, 0 for PCA.
        why: why this one.
    """

    key: str
    name: str
    variance: float | None
    why: str


def linear_model_of(likelihood: Likelihood) -> LinearModel:
    """The linear model that a VAE of this likelihood can fairly be compared with."""
    if likelihood.has_linear_vae:
        variance = likelihood.linear_variance(np.zeros(0))
        kind = "one learned variance" if variance is None else f"this likelihood, variance {variance:g}"
        return LinearModel("linear_vae", "the linear VAE", variance, f"the best linear VAE with {kind}, in closed form")
    why = (
        "PCA, because the best linear VAE of this likelihood has no closed form: of all linear models PCA has the "
        "smallest squared error, and no KL to pay"
    )
    return LinearModel("pca", "PCA", 0.0, why)


def linear_baseline(context: EvaluationContext) -> Evaluation:
    """The best linear model with as many latents, fitted on train: its numbers and pictures of test beside ours.

    It sees what training showed the VAE, mirrored and moved images included. Fewer than three images make no model.
    """
    if len(context.data.split.train) < FEWEST_IMAGES:
        return Evaluation({}, {})
    images = shown_in_training(context.config, context.data)
    model = linear_model_of(context.vae.likelihood)
    linear = metrics.fit_linear_vae(images, context.vae.latent_dim, model.variance)

    test = context.test_unit_images
    quality = metrics.reconstruction_quality(test, np.clip(linear.reconstruct(test), 0, 1))
    numbers: Baseline = {
        "psnr": quality["psnr"],
        "ssim": quality["ssim"],
        "latents_in_use": len(linear.eigenvalues),
        "images": len(test),
        "train_images": len(images),
        "verdict": "",
    }
    if model.variance != 0:
        bound = linear.elbo(test)
        numbers |= {
            "elbo": bound.elbo,
            "reconstruction_nll": bound.reconstruction_nll,
            "kl": bound.kl,
            "bits_per_dim": metrics.bits_per_dimension(bound.elbo, context.vae.image_shape),
            "variance": linear.variance,
        }
    numbers["verdict"] = verdict(context, model, numbers)

    places = context.random_test_images(IMAGES)
    shown = test[places]
    ours, theirs = decode_latents(context.vae, context.test_posterior.mean[places]), linear.reconstruct(shown)
    figure = image_figure(
        np.stack([shown, ours, np.clip(theirs, 0, 1)], axis=1).reshape(-1, *context.vae.image_shape),
        3 * TRIPLES_A_ROW,
        f"The VAE beside {model.name}",
        f"Test images, reconstructed by the VAE and by {model.name} with {context.vae.latent_dim} latents each; the "
        f"latter is fitted on {len(images):,} images, as training shows them. {numbers['verdict']}",
        column_labels=["test image", "VAE", model.name.removeprefix("the ")] * TRIPLES_A_ROW,
    )
    record: Record = {"pca": numbers} if model.variance == 0 else {"linear_vae": numbers}
    return Evaluation({f"{model.key}.png": figure}, record)


def verdict(context: EvaluationContext, model: LinearModel, linear: Baseline) -> str:
    """Who wins on the test images, in plain words."""
    if "elbo" in linear:
        ours, theirs, unit, measure = context.test_elbo.elbo, linear["elbo"], "nats", "test ELBO"
    else:
        ours, theirs, unit, measure = context.test_quality["psnr"], linear["psnr"], "dB", "test PSNR"
    numbers = f"{measure} {ours:.1f} against {theirs:.1f} {unit}"
    result = "beats" if ours > theirs else "loses to"
    meaning = "" if ours > theirs else " A linear model describes unseen images better."
    return f"The VAE {result} {model.name}: {numbers}.{meaning} The model is {model.why}."
