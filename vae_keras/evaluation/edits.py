"""What an attribute edit changes in a face: the attribute, and what else."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from vae_keras.evaluation.context import MOST_LEARNT, Evaluation, EvaluationContext
from vae_keras.evaluation.directions import direction_of, vectors_of
from vae_keras.evaluation.record import EditedPhotographs, Record
from vae_keras.evaluation.selectivity import FEWEST, STRENGTH, choosing_part, factor_changes, label_readings
from vae_keras.plots import signed_heat_map
from vae_keras.run_data import known_attributes

FACES = 100  # test faces that are edited


class Changes(NamedTuple):
    """The mean change of each factor by an edit, in standard deviations of the factor; the wanted factor first.

    Attributes:
        of_factor: by the name of the factor, in decreasing order of size after the first.
    """

    of_factor: dict[str, float]

    @classmethod
    def ranked(cls, names: tuple[str, ...], change: np.ndarray, wanted: Mapping[str, float]) -> "Changes":
        """The changes (K,) of the factors with these names; those that are wanted first, then the largest."""
        of_factor = dict(zip(names, change.tolist(), strict=True))
        ranked = sorted(names, key=lambda name: (name not in wanted, -abs(of_factor[name])))
        return cls({name: of_factor[name] for name in ranked})

    def in_words(self) -> str:
        """The wanted change and the three largest others, in a sentence."""
        told = [f"{name.replace('_', ' ')} {change:+.1f}" for name, change in self.of_factor.items()]
        return f"{told[0]}; most of what else changes: {', '.join(told[1:4])} (standard deviations of each factor)."


def faces_to_edit(context: EvaluationContext, strengths: Mapping[str, float]) -> np.ndarray:
    """The test faces that lack what an edit adds and have what it removes, in random order; all, if there are none.

    A smile that is added to a smile is wider than that of any face, and no network knows what such a face looks like.

    Args:
        strengths: of attributes; an edit with a negative strength removes the attribute.

    Returns:
        positions in the test part.
    """
    dataset, test = context.data.dataset, context.data.split.test
    shuffled = context.random_test_images(len(test))
    fits = np.all([dataset.label(name)[test] == (strength < 0) for name, strength in strengths.items()], axis=0)
    return shuffled[fits[shuffled]] if fits.any() else shuffled


def changes_of_factors(context: EvaluationContext, strengths: Mapping[str, float]) -> Changes | None:
    """What an edit with these strengths changes in the faces to edit; None if the faces are not rendered."""
    if not context.factors_are_read:
        return None
    step = np.sum([strength * direction_of(context, name).vector for name, strength in strengths.items()], axis=0)
    (change,) = factor_changes(context, _codes_to_edit(context, strengths), [step])
    return Changes.ranked(context.data.dataset.factor_names, change, strengths)


def edits(context: EvaluationContext) -> Evaluation:
    """For each attribute of rendered faces: how the edit at +2 changes the factors of faces that lack the attribute.

    Empty for other images.
    """
    names = known_attributes(context.data)
    if not names or not context.factors_are_read:
        return Evaluation({}, {})
    factors = context.data.dataset.factor_names
    directions = {name: direction_of(context, name) for name in names}
    changes: dict[str, dict[str, Changes]] = {}
    for name in names:
        wanted, vectors = {name: STRENGTH}, vectors_of(context, name)
        steps = [STRENGTH * vector for vector in vectors.values()]
        measured = factor_changes(context, _codes_to_edit(context, wanted), steps)
        changes[name] = {
            method: Changes.ranked(factors, change, wanted) for method, change in zip(vectors, measured, strict=True)
        }
    chosen = {name: changes[name][direction.method] for name, direction in directions.items()}
    numbers: Record = {
        "edits": {
            name: {
                "strength": STRENGTH,
                "direction": directions[name].method,
                "change": chosen[name].of_factor,
                "by_method": {method: found.of_factor for method, found in changes[name].items()},
            }
            for name in names
        }
    }
    figure = signed_heat_map(
        np.array([[change.of_factor[factor] for factor in factors] for change in chosen.values()]),
        [f"{name} {STRENGTH:+g} ({directions[name].method})".replace("_", " ") for name in names],
        [factor.replace("_", " ") for factor in factors],
        "What an edit changes",
        f"Each row is an edit: {STRENGTH:g} times the direction of an attribute, by the method in brackets, is added "
        f"to the posterior means of test faces that lack the attribute, at most {FACES}. "
        + ("" if context.method else f"Its edit is the most selective one on {choosing_part(context)} faces. ")
        + "The numbers are mean changes of the factors that a network reads off the decoded faces, in standard "
        "deviations of each factor. An edit that changes nothing else has one coloured cell.",
        "standard deviations",
    )
    return Evaluation({"edits.png": figure}, numbers)


def _codes_to_edit(context: EvaluationContext, strengths: Mapping[str, float]) -> np.ndarray:
    return context.test_posterior.mean[faces_to_edit(context, strengths)[:FACES]]


def edited_photographs(context: EvaluationContext, name: str, strengths: tuple[float, ...]) -> EditedPhotographs | None:
    """How many edited test faces have the attribute at each strength, and how far they move from the face they were.

    None for rendered faces, or if hardly any test face lacks the attribute.
    """
    label = context.data.dataset.label(name)[context.data.split.test]
    if context.of_rendered_faces or np.sum(~label) < FEWEST:
        return None
    right = (context.label_space(name).factors(context.test_images)[:, 0] > 0) == label
    lacking = faces_to_edit(context, {name: STRENGTH})[:FACES]
    steps = np.outer(strengths, direction_of(context, name).vector)
    readings = label_readings(context, name, context.test_posterior.mean[lacking], steps)
    return {
        "accuracy": float(right.mean()),
        "strengths": list(strengths),
        "share": (readings.after > 0).mean(axis=1).tolist(),
        "distance": readings.moved.tolist(),
        "images": len(lacking),
        "learnt_from": min(MOST_LEARNT, len(context.data.split.train)),
    }
