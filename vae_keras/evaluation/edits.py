"""What an attribute edit changes in a face: the attribute, and what else.

On rendered faces, a network reads all factors off the faces before and after the edit. On photographs, a small network
that has learnt the attribute from the train images says how many edited faces have it.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from vae_keras import feature_spaces
from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.evaluation.directions import direction_of, known_attributes
from vae_keras.evaluation.record import EditedPhotographs, Record
from vae_keras.latent import decode_latents
from vae_keras.plots import signed_heat_map

STRENGTH = 2.0  # of an edit: a multiple of the attribute's direction
FACES = 200  # test faces that are edited
FEWEST_EDITED = 4  # photographs; with fewer, no share is worth telling


class Changes(NamedTuple):
    """The mean change of each factor by an edit, in standard deviations of the factor; the wanted factor first.

    Attributes:
        of_factor: by the name of the factor, in decreasing order of size after the first.
    """

    of_factor: dict[str, float]

    def in_words(self) -> str:
        """The wanted change and the three largest others, in a sentence."""
        told = [f"{name.replace('_', ' ')} {change:+.1f}" for name, change in self.of_factor.items()]
        return f"{told[0]}; most of what else changes: {', '.join(told[1:4])} (standard deviations of each factor)."


def changes_of_factors(context: EvaluationContext, strengths: dict[str, float]) -> Changes | None:
    """What the edit of test faces with these strengths of attributes changes; None if the faces are not rendered.

    The network reads the factors off reconstructions before and after the edit, so what reconstruction loses does not
    count.
    """
    return next(_changes(context, [strengths])) if context.factors_are_read else None


def _changes(context: EvaluationContext, edits: Iterable[dict[str, float]]) -> Iterator[Changes]:
    """What each of the edits changes."""
    space = context.factor_space
    codes = context.test_posterior.mean[context.random_test_images(FACES)]
    before = space.factors(decode_latents(context.vae, codes))
    for strengths in edits:
        step = sum(strength * direction_of(context, name).vector for name, strength in strengths.items())
        change = space.factors(decode_latents(context.vae, codes + step)) - before
        mean = dict(zip(context.data.dataset.factor_names, change.mean(axis=0).tolist(), strict=True))
        ranked = sorted(mean, key=lambda name: (name not in strengths, -abs(mean[name])))
        yield Changes({name: mean[name] for name in ranked})


def edits(context: EvaluationContext) -> Evaluation:
    """For each attribute of rendered faces: how the edit at +2 changes each factor. Empty for other images."""
    names = known_attributes(context.data)
    if not names or not context.factors_are_read:
        return Evaluation({}, {})
    found = _changes(context, ({name: STRENGTH} for name in names))
    changes = {name: change.of_factor for name, change in zip(names, found, strict=True)}
    factors = list(context.data.dataset.factor_names)
    figure = signed_heat_map(
        np.array([[change[factor] for factor in factors] for change in changes.values()]),
        [f"{name} {STRENGTH:+g}".replace("_", " ") for name in changes],
        [factor.replace("_", " ") for factor in factors],
        "What an edit changes",
        f"Each row is an edit: {STRENGTH:g} times the direction of an attribute is added to the posterior means of "
        f"{min(FACES, len(context.test_images)):,} test faces. The numbers are mean changes of the factors that a "
        f"network reads off the decoded faces, in standard deviations of each factor. An edit that changes nothing "
        f"else has one coloured cell.",
        "standard deviations",
    )
    numbers: Record = {"edits": {name: {"strength": STRENGTH, "change": change} for name, change in changes.items()}}
    return Evaluation({"edits.png": figure}, numbers)


def edited_photographs(context: EvaluationContext, name: str, strengths: tuple[float, ...]) -> EditedPhotographs | None:
    """How many edited test faces have the attribute at each strength, and how far they move from the face they were.

    A small network learns the attribute from the train images. Its features, without the one direction off which it
    reads the attribute, give the distance from each reconstruction to its edited version, as a share of the mean
    distance between the reconstructions of two different faces. None for rendered faces, or if hardly any test face
    lacks the attribute.
    """
    dataset, split = context.data.dataset, context.data.split
    label = dataset.label(name)
    if context.of_rendered_faces or np.sum(~label[split.test]) < FEWEST_EDITED:
        return None
    space = feature_spaces.label_space(dataset.images[split.train], label[split.train])
    right = (space.factors(context.test_images)[:, 0] > 0) == label[split.test]
    places = context.random_test_images(len(split.test))
    codes = context.test_posterior.mean[[place for place in places if not label[split.test][place]][:FACES]]
    vector = direction_of(context, name).vector
    decoded = [decode_latents(context.vae, codes + strength * vector) for strength in (0.0, *strengths)]
    weights = np.asarray(space.regressor.layers[-1].kernel)[:, 0]
    away = np.eye(len(weights)) - np.outer(weights, weights) / (weights @ weights)
    plain, *moved = (space.features(images) @ away for images in decoded)
    between = np.linalg.norm(plain - np.roll(plain, 1, axis=0), axis=1).mean()
    return {
        "accuracy": float(right.mean()),
        "strengths": list(strengths),
        "share": [float((space.factors(images)[:, 0] > 0).mean()) for images in decoded[1:]],
        "distance": [float(np.linalg.norm(one - plain, axis=1).mean() / between) for one in moved],
        "images": len(codes),
    }
