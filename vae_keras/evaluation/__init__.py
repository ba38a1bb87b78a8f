"""Figures and numbers of a trained model, one file each.

The lines below register each for `evaluate.py`, with the help text of its flag.
"""

from functools import partial

from vae_keras.evaluation import (
    attribute,
    curves,
    dataset,
    directions,
    disentanglement,
    edits,
    evidence,
    fidelity,
    held_out,
    interpolation,
    latent_map,
    latents,
    linear_baseline,
    overview,
    reconstructions,
    refitted,
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
    return [partial(interpolation.interpolation, path=path or "spherical")]


def _attributes(context: EvaluationContext, asked: str | None) -> list[Evaluate]:
    names = directions.default_attribute(context.data) if asked is None else asked
    return [] if names is None else list(attribute.attributes(names, context.data.dataset.label_names))


def _latent_map(context: EvaluationContext, name: str | None) -> list[Evaluate]:
    return [partial(latent_map.latent_map, name=name or None)]


def _metrics(context: EvaluationContext, value: str | None) -> list[Evaluate]:
    chosen: list[Evaluate] = [held_out.held_out, refitted.refitted, latents.latents, evidence.evidence]
    # The comparison is unfair if the linear model is fitted on these images and the VAE is not.
    if context.data.fitted:
        chosen.append(linear_baseline.linear_baseline)
    return [*chosen, disentanglement.disentanglement] if value else chosen


EVALUATIONS["overview"] = Choice(
    "one sheet of invented faces, reconstructions, an edit and interpolations; and invented faces that start to smile",
    always(overview.overview),
)
EVALUATIONS["dataset"] = Choice("random images of the data set", always(dataset.dataset))
EVALUATIONS["curves"] = Choice("training curves: the ELBO, its reconstruction term and its KL, per epoch", _curves)
EVALUATIONS["reconstruct"] = Choice("test images and their reconstructions", always(reconstructions.reconstructions))
EVALUATIONS["fidelity"] = Choice(
    "for rendered faces: how much of each factor is left in the reconstructions, read off by a small network",
    always(fidelity.fidelity),
)
EVALUATIONS["sample"] = Choice(
    "faces decoded from samples of the prior, and of a prior that is fitted to the latents after training",
    always(samples.samples),
)
EVALUATIONS["interpolate"] = Choice(
    "faces between two test faces, as a figure and as an animation; PATH is spherical (default), straight or density",
    _interpolation, "PATH", value_is_optional=True, check=partial(look_up, "path", PATHS),
)  # fmt: skip
EVALUATIONS["traverse"] = Choice(
    "what each latent changes in a face, as a figure and as an animation", always(traversal.traversal)
)
EVALUATIONS["attribute"] = Choice(
    "add an attribute, such as smile, to test faces; smile=+2,jaw=-1 adds several, each with a strength",
    _attributes, "NAME",
)  # fmt: skip
EVALUATIONS["edits"] = Choice(
    "for rendered faces: what the edit of each attribute changes, and what else", always(edits.edits)
)
EVALUATIONS["latent_map"] = Choice(
    "the latent space in two dimensions, coloured by a label or a factor (default: the classes of the images)",
    _latent_map, "NAME", value_is_optional=True,
)  # fmt: skip
EVALUATIONS["metrics"] = Choice(
    "ELBO, PSNR, SSIM and more on the test images, compared with the best linear model; the KL of each latent; the "
    "parts of the KL; if the factors of the images are known, disentanglement scores (they take minutes and are "
    "computed only with this flag; a report computes all but DCI)",
    _metrics,
)
EVALUATIONS["sample_quality"] = Choice(
    "Frechet and kernel distance from test images to samples, in the features of a small network",
    always(sample_quality.sample_quality), quick=False,
)  # fmt: skip
EVALUATIONS["inception"] = Choice(
    "the same distances in the features of InceptionV3; the first use downloads its weights (90 MB)",
    always(sample_quality.inception_quality), quick=False,
)  # fmt: skip

__all__ = ["EVALUATIONS", "TEST_METRICS", "Choice", "Evaluation", "EvaluationContext", "always"]
