"""Figures and numbers of a trained model, one file each, with the line that registers each for `evaluate.py`."""

from functools import partial

from vae_keras.evaluation import (
    attribute,
    curves,
    dataset,
    directions,
    disentanglement,
    evidence,
    held_out,
    interpolation,
    latent_map,
    latents,
    linear_baseline,
    reconstructions,
    sample_quality,
    samples,
    traversal,
)
from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.evaluation.registry import EVALUATIONS, TEST_METRICS, Choice, Evaluate, always
from vae_keras.latent import PATHS
from vae_keras.registry import look_up


def _curves(context: EvaluationContext, value: str | None) -> list[Evaluate]:
    return [curves.curves] if context.history or value else []


def _interpolation(context: EvaluationContext, path: str | None) -> list[Evaluate]:
    look_up("path", PATHS, path or "spherical")
    return [partial(interpolation.interpolation, path=path or "spherical")]


def _attributes(context: EvaluationContext, asked: str | None) -> list[Evaluate]:
    names = directions.default_attribute(context.data) if asked is None else asked
    return [] if names is None else list(attribute.attributes(names, context.data.dataset.label_names))


def _latent_map(context: EvaluationContext, name: str | None) -> list[Evaluate]:
    return [partial(latent_map.latent_map, name=name or None)]


def _metrics(context: EvaluationContext, value: str | None) -> list[Evaluate]:
    chosen: list[Evaluate] = [held_out.held_out, latents.latents, evidence.evidence]
    if context.data.fitted:  # it would be unfair if the linear model were fitted on these images and the VAE were not
        chosen.append(linear_baseline.linear_baseline)
    return [*chosen, disentanglement.disentanglement] if value else chosen


EVALUATIONS["dataset"] = Choice("images of the data set at random", always(dataset.dataset))
EVALUATIONS["curves"] = Choice("both terms of the ELBO against the epoch", _curves)
EVALUATIONS["reconstruct"] = Choice("test images and their reconstructions", always(reconstructions.reconstructions))
EVALUATIONS["sample"] = Choice("faces decoded from samples of the prior", always(samples.samples))
EVALUATIONS["interpolate"] = Choice(
    "one test face turning into another, on a spherical (default) or straight path; as a row and as an animation",
    _interpolation, "PATH", value_is_optional=True,
)  # fmt: skip
EVALUATIONS["traverse"] = Choice(
    "what each latent changes in a face, as rows and as an animation", always(traversal.traversal)
)
EVALUATIONS["attribute"] = Choice(
    "add an attribute, such as smile, to test faces; or several at once: smile=+2,jaw=-1", _attributes, "NAME"
)
EVALUATIONS["latent_map"] = Choice(
    "the latent space in two dimensions, coloured by a label or a factor (default: the classes)",
    _latent_map, "NAME", value_is_optional=True,
)  # fmt: skip
EVALUATIONS["metrics"] = Choice(
    "ELBO, PSNR, SSIM and more on the test images, next to the best linear model; the KL of each latent and its parts; "
    "where factors are known, disentanglement scores (minutes; only with this flag)",
    _metrics,
)
EVALUATIONS["sample_quality"] = Choice(
    "Frechet and kernel distance from test images to samples, by a network that is trained for it once (a minute)",
    always(sample_quality.sample_quality), quick=False,
)  # fmt: skip
EVALUATIONS["inception"] = Choice(
    "the same distances by InceptionV3, whose weights (90 MB) are downloaded",
    always(sample_quality.inception_quality), quick=False,
)  # fmt: skip

__all__ = ["EVALUATIONS", "TEST_METRICS", "Choice", "Evaluation", "EvaluationContext", "always"]
