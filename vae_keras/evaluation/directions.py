"""Attributes as directions in latent space, fitted on the train images and tested on the test images."""

import math
from typing import NamedTuple

import numpy as np
from sklearn.metrics import roc_auc_score

from common.errors import UserError, nearest
from data.image_folder import SMILES
from vae_keras.directions import METHODS
from vae_keras.evaluation.context import EvaluationContext
from vae_keras.evaluation.selectivity import choosing_part, effects
from vae_keras.run_data import RunData, known_attributes

FIRST = "means"  # the method where no edit can be measured
LEAST_WANTED = 0.5  # of the largest wanted change; a method that changes less is not chosen
IN_WORDS = {
    "means": "the mean latent of the train images with the attribute minus the mean latent of those without",
    "logistic": "the weights of a logistic regression of the attribute on the latents of the train images",
    "orthogonal": "the weights of a logistic regression of the attribute on the latents of the train images, without "
    "their part in the span of the other attributes' weights",
    "latent": "the single latent that says most about the attribute",
}


class Direction(NamedTuple):
    """The direction of an attribute in latent space.

    Attributes:
        vector: what adds the attribute once to a code, (latents,).
        auc: area under the ROC curve of the projection on the vector, on the test images: the probability that a
            random image with the attribute has a larger projection than one without. 0.5 is chance.
        method: in `vae_keras.directions`.
        chosen_on: the part of the images on which its edit is the most selective one; empty if it was not compared.
    """

    vector: np.ndarray
    auc: float
    method: str
    chosen_on: str

    def in_words(self) -> str:
        """What the vector is, and why this one."""
        why = f", which gives the most selective edit on the {self.chosen_on} images" if self.chosen_on else ""
        return f"{IN_WORDS[self.method]} (method {self.method}{why})"


def direction_of(context: EvaluationContext, name: str) -> Direction:
    """The direction of a label, by the method that the user chose, or by the best one.

    Raises:
        UserError: the data has no such label, all images of train or of test agree in the label, or the chosen method
            has no direction for the label.
    """
    method = context.method or best_method(context, name)
    compared = not context.method and name in context.best_methods
    return _direction(context, name, method, choosing_part(context) if compared else "")


def quick_direction_of(context: EvaluationContext, name: str) -> Direction:
    """The same, but where measuring would train a network for each label, and was not done before: by class means."""
    quick = context.method or context.of_rendered_faces or name in context.best_methods
    return direction_of(context, name) if quick else _direction(context, name, FIRST, "")


def best_method(context: EvaluationContext, name: str) -> str:
    """The method with the most selective edit of a label, among those that change the label enough.

    Raises:
        UserError: the data has no such label, or all images of train or of test agree in it.
    """
    _check_has_direction(context, name)
    if name not in context.best_methods:
        found = effects(context, name, vectors_of(context, name))
        largest = max((effect.wanted for effect in found.values()), default=0.0)
        enough = [method for method, effect in found.items() if effect.wanted >= LEAST_WANTED * largest > 0]
        if not enough:
            return FIRST
        context.best_methods[name] = max(enough, key=lambda method: found[method].selectivity)
    return context.best_methods[name]


def vectors_of(context: EvaluationContext, name: str) -> dict[str, np.ndarray]:
    """The directions of a label by all methods that have one, or by the one that the user chose; (latents,) each."""
    methods = [context.method] if context.method else [*METHODS]
    vectors = {method: context.directions.vector(name, method) for method in methods}
    return {method: vector for method, vector in vectors.items() if vector is not None}


def auc_of(context: EvaluationContext, name: str, vector: np.ndarray) -> float:
    """The AUC of the projection on a vector (latents,), for a label of the test images."""
    label = context.data.dataset.label(name)[context.data.split.test]
    return float(roc_auc_score(label, context.test_posterior.mean @ vector))


def _direction(context: EvaluationContext, name: str, method: str, chosen_on: str) -> Direction:
    _check_has_direction(context, name)
    vector = context.directions.vector(name, method)
    if vector is None:
        raise UserError(f"{name} has no direction by the method {method}; leave --direction out to get the best one")
    return Direction(vector, auc_of(context, name, vector), method, chosen_on)


def _check_has_direction(context: EvaluationContext, name: str) -> None:
    names = context.data.dataset.label_names
    if not names:
        raise UserError(
            "attributes need labels, and the data has none; put the images of each class into one sub-folder, or put "
            "an attributes.csv into the folder of the images"
        )
    if name not in names:
        raise UserError(f"unknown attribute {name}; {nearest(name, names)}")
    if name not in known_attributes(context.data):
        raise UserError(f"{name} has no direction: all images of train or of test agree in {name}; use more images")


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


def default_attribute(data: RunData) -> str | None:
    """The attribute to show if the user names none: a smile, else the first with a direction, else None."""
    known = known_attributes(data)
    return next((name for name in known if name.lower() in SMILES), next(iter(known), None))
