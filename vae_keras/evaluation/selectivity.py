"""How selective an edit is: how far it moves what was wanted, and how far it moves everything else.

On rendered faces, a network reads all factors off the faces before and after the edit. On photographs, a small network
that has learnt the attribute from the train images says how far the edit moves a face towards the attribute. Its
features, without the one direction off which it reads the attribute, say how far the edit moves the face otherwise.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from vae_keras.evaluation.context import EvaluationContext
from vae_keras.latent import decode_latents, encode_images

STRENGTH = 2.0  # of an edit: a multiple of the attribute's direction
CHOOSING = 50  # faces on which the methods of an attribute are compared
FEWEST = 4  # faces; with fewer, no mean is worth telling


class Effect(NamedTuple):
    """What an edit changes, on average over faces.

    Attributes:
        wanted: the change of the attribute, in standard deviations.
        other: the size of everything else that changes. For rendered faces: the largest change of another factor, in
            its standard deviations. For photographs: the distance that faces move, as a share of the mean distance
            between two faces.
    """

    wanted: float
    other: float

    @property
    def selectivity(self) -> float:
        """How many times larger the wanted change is than the other one."""
        return self.wanted / max(self.other, 1e-6)


def factor_changes(context: EvaluationContext, codes: np.ndarray, steps: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """The mean change of each factor by each step, in standard deviations of the factor, (factors,) for each step.

    The network reads the factors off reconstructions before and after the step, so what reconstruction loses does not
    count.

    Args:
        codes: of rendered faces, (n, latents).
        steps: (latents,) each.
    """
    space = context.factor_space
    before = space.factors(decode_latents(context.vae, codes))
    for step in steps:
        yield (space.factors(decode_latents(context.vae, codes + step)) - before).mean(axis=0)


class LabelReadings(NamedTuple):
    """What the network of an attribute says of faces before and after edits.

    Attributes:
        before: the readings of the faces, (n,). A reading above 0 says that the face has the attribute.
        after: the readings after each step, (steps, n).
        moved: how far the faces move by each step, as a share of the mean distance between two faces, (steps,).
    """

    before: np.ndarray
    after: np.ndarray
    moved: np.ndarray


def label_readings(context: EvaluationContext, name: str, codes: np.ndarray, steps: np.ndarray) -> LabelReadings:
    """The readings of an attribute of photographs before and after steps (steps, latents) from codes (n, latents)."""
    space = context.label_space(name)
    weights = np.asarray(space.regressor.layers[-1].kernel)[:, 0]
    away = np.eye(len(weights)) - np.outer(weights, weights) / (weights @ weights)
    decoded = [decode_latents(context.vae, codes + step) for step in (np.zeros(codes.shape[1]), *steps)]
    plain, *moved = (space.features(images) @ away for images in decoded)
    between = np.linalg.norm(plain - np.roll(plain, 1, axis=0), axis=1).mean()
    before, *after = (space.factors(images)[:, 0] for images in decoded)
    return LabelReadings(
        before,
        np.array(after),
        np.array([np.linalg.norm(one - plain, axis=1).mean() / between for one in moved]),
    )


def choosing_part(context: EvaluationContext) -> str:
    """The part of the images that compares methods: validation; train, to which directions are fitted, without it."""
    return "validation" if len(context.data.split.validation) >= FEWEST else "train"


def effects(context: EvaluationContext, name: str, vectors: Mapping[str, np.ndarray]) -> dict[str, Effect]:
    """The effect of the edit at +2 by each method, on images of `choosing_part`. Empty if it cannot be measured.

    Args:
        vectors: the direction of the attribute by method, (latents,) each.
    """
    data = context.data
    faces = getattr(data.split, choosing_part(context))
    if not context.of_rendered_faces:
        faces = faces[~data.dataset.label(name)[faces]]
    faces = context.random().permutation(faces)[:CHOOSING]
    readable = context.factors_are_read and name in data.dataset.factor_names
    if len(faces) < FEWEST or (context.of_rendered_faces and not readable):
        return {}
    codes = encode_images(context.vae, data.dataset.images.part(faces)).mean
    steps = STRENGTH * np.stack([*vectors.values()])
    if context.of_rendered_faces:
        own = data.dataset.factor_names.index(name)
        found = [
            Effect(float(change[own]), float(np.abs(np.delete(change, own)).max()))
            for change in factor_changes(context, codes, steps)
        ]
    else:
        readings = label_readings(context, name, codes, steps)
        wanted = (readings.after - readings.before).mean(axis=1) / max(readings.before.std(), 1e-6)
        found = [Effect(float(change), float(moved)) for change, moved in zip(wanted, readings.moved, strict=True)]
    return dict(zip(vectors, found, strict=True))
