"""Attributes as directions in latent space, fitted on the train images and tested on the test images."""

import math
from typing import NamedTuple

import numpy as np
from sklearn.metrics import roc_auc_score

from common.errors import UserError, nearest
from data.image_folder import SMILES
from vae_keras.evaluation.context import EvaluationContext
from vae_keras.latent import attribute_direction
from vae_keras.run_data import RunData


class Direction(NamedTuple):
    """The direction of an attribute in latent space.

    Attributes:
        vector: the mean latent of the train images that have the attribute, minus that of the others, (latents,).
        auc: area under the ROC curve of the projection on the vector, on the test images: the probability that a
            random image with the attribute has a larger projection than one without. 0.5 is chance.
    """

    vector: np.ndarray
    auc: float


def direction_of(context: EvaluationContext, name: str) -> Direction:
    """The direction of a label.

    Raises:
        UserError: the data has no such label, or all images of train or of test agree in the label.
    """
    dataset, split = context.data.dataset, context.data.split
    if not dataset.label_names:
        raise UserError(
            "attributes need labels, and the data has none; put the images of each class into one sub-folder, or put "
            "an attributes.csv into the folder of the images"
        )
    if name not in dataset.label_names:
        raise UserError(f"unknown attribute {name}; {nearest(name, dataset.label_names)}")
    if not _has_both_sides(context.data, name):
        raise UserError(f"{name} has no direction: all images of train or of test agree in {name}; use more images")
    label = dataset.label(name)
    vector = attribute_direction(context.train_posterior.mean, label[split.train])
    return Direction(vector, float(roc_auc_score(label[split.test], context.test_posterior.mean @ vector)))


def strengths_in(asked: str, flag: str) -> dict[str, float]:
    """The strength of each attribute in NAME=+2,NAME=-1.

    Raises:
        UserError: a name is empty, occurs twice or has no strength, or a strength is not a number.
    """
    parts = [[text.strip() for text in part.split("=")] for part in asked.split(",")]
    names = [part[0] for part in parts]
    if not all(names) or len(set(names)) < len(names) or {len(part) for part in parts} != {2}:
        raise UserError(f"{flag} {asked} cannot be read; write smile=+2, or smile=+2,jaw=-1")
    return {name: _number(strength, name, flag) for name, strength in parts}


def _number(typed: str, name: str, flag: str) -> float:
    try:
        strength = float(typed)
    except ValueError:
        strength = math.nan
    if not math.isfinite(strength):
        raise UserError(f"{flag} {name}={typed}: the strength is not a number; write {name}=+2")
    return strength


def known_attributes(data: RunData) -> list[str]:
    """The labels that have a direction: train and test both have images with and without the label."""
    return [name for name in data.dataset.label_names if _has_both_sides(data, name)]


def default_attribute(data: RunData) -> str | None:
    """The attribute to show if the user names none: a smile, else the first with a direction, else None."""
    known = known_attributes(data)
    return next((name for name in known if name.lower() in SMILES), next(iter(known), None))


def _has_both_sides(data: RunData, name: str) -> bool:
    label = data.dataset.label(name)
    return all(0 < label[part].sum() < len(part) for part in (data.split.train, data.split.test))
