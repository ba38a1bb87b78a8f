"""Attributes as directions in latent space: fitted on train, judged on test."""

from typing import NamedTuple

import numpy as np
from sklearn.metrics import roc_auc_score

from common.errors import UserError, nearest
from data.image_folder import SMILES
from vae_keras.evaluation.context import EvaluationContext
from vae_keras.latent import attribute_direction
from vae_keras.run_data import RunData


class Direction(NamedTuple):
    """Where an attribute points.

    Attributes:
        vector: mean latent of the train images with it, less without it, (latents,).
        auc: how well the projection on it separates the test images with it from those without; 0.5 is chance.
    """

    vector: np.ndarray
    auc: float


def direction_of(context: EvaluationContext, name: str) -> Direction:
    """The direction of a label.

    Raises:
        UserError: the data has no such label, or train or test has only one side of it.
    """
    dataset, split = context.data.dataset, context.data.split
    if not dataset.label_names:
        raise UserError(
            "--attribute needs labels: put the images into one sub-folder for each class, or an attributes.csv "
            "beside them"
        )
    if name not in dataset.label_names:
        raise UserError(f"unknown attribute {name}; {nearest(name, dataset.label_names)}")
    if not _has_both_sides(context.data, name):
        raise UserError(f"the images of train or test are all alike in {name}; use more images")
    label = dataset.label(name)
    vector = attribute_direction(context.train_posterior.mean, label[split.train])
    return Direction(vector, float(roc_auc_score(label[split.test], context.test_posterior.mean @ vector)))


def known_attributes(data: RunData) -> list[str]:
    """The labels that have a direction."""
    return [name for name in data.dataset.label_names if _has_both_sides(data, name)]


def default_attribute(data: RunData) -> str | None:
    """The attribute to show when none is named: the smile, or the first that has a direction, if any."""
    known = known_attributes(data)
    return next((name for name in known if name.lower() in SMILES), next(iter(known), None))


def _has_both_sides(data: RunData, name: str) -> bool:
    label = data.dataset.label(name)
    return all(0 < label[part].sum() < len(part) for part in (data.split.train, data.split.test))
