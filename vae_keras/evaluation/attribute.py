"""Control of attributes: faces that learn to smile, one attribute at a time or several at once."""

import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from common.errors import UserError
from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.evaluation.directions import direction_of
from vae_keras.evaluation.record import Attribute
from vae_keras.latent import decode_latents
from vae_keras.plots import image_figure, signed

FACES = 6
STRENGTHS = (-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0)


def attributes(asked: str, known: Sequence[str]) -> list[Callable[[EvaluationContext], Evaluation]]:
    """What `--attribute` asks for: a sweep for each of NAME,NAME, or one edit for NAME=+2,NAME=-1.

    Args:
        known: labels of the data; one of them is taken as it is, commas and all.

    Raises:
        UserError: a name is missing, twice there or without the strength that others have; a strength is no number.
    """
    if asked in known:
        return [partial(attribute_sweep, name=asked)]
    parts = [[text.strip() for text in part.split("=")] for part in asked.split(",")]
    names = [part[0] for part in parts]
    if not all(names) or len(set(names)) < len(names) or len({len(part) for part in parts}) > 1 or len(parts[0]) > 2:
        raise UserError(f"--attribute {asked} cannot be read; write smile, or smile,jaw, or smile=+2,jaw=-1")
    if len(parts[0]) == 1:
        return [partial(attribute_sweep, name=name) for name in names]
    strengths = {name: _number(strength, name) for name, strength in parts}
    return [partial(attribute_edit, strengths=strengths)]


def _number(typed: str, name: str) -> float:
    try:
        strength = float(typed)
    except ValueError:
        strength = math.nan
    if not math.isfinite(strength):
        raise UserError(f"--attribute {name}={typed}: the strength is not a number; write {name}=+2")
    return strength


def attribute_sweep(context: EvaluationContext, name: str) -> Evaluation:
    """One attribute, added with growing strength to test faces that do not have it."""
    direction = direction_of(context, name)
    has = context.data.dataset.label(name)[context.data.split.test]
    places = [place for place in context.random_test_images(len(has)) if not has[place]][:FACES]
    length = float(np.linalg.norm(direction.vector))
    figure = _edited_faces(
        context,
        places,
        np.outer(STRENGTHS, direction.vector),
        f"Attribute: {name}",
        f"Left: test images without the attribute. Then their posterior means plus multiples of the direction "
        f"(mean latent of train images with it, less without it, length {length:.2f}), decoded. "
        f"Projection on the direction separates the test classes with AUC {direction.auc:.3f}.",
        [signed(strength) for strength in STRENGTHS],
    )
    numbers: Attribute = {"auc": direction.auc, "length": length, "images": context.test_names(places)}
    return Evaluation({f"attribute_{name}.png": figure}, {"attributes": {name: numbers}})


def attribute_edit(context: EvaluationContext, strengths: dict[str, float]) -> Evaluation:
    """Several attributes added to the same test faces: each alone, and all at once."""
    directions = {name: direction_of(context, name) for name in strengths}
    each = np.stack([strength * directions[name].vector for name, strength in strengths.items()])
    labels = [f"{name} {signed(strength)}" for name, strength in strengths.items()]
    together = len(labels) > 1
    figure = _edited_faces(
        context,
        context.random_test_images(FACES),
        np.concatenate([np.zeros_like(each[:1]), each, each.sum(axis=0, keepdims=True)[: int(together)]]),
        f"Attributes: {', '.join(labels)}",
        "Left: test images. Then their posterior means, decoded: as they are, plus each multiple of a direction, "
        "plus all of them. AUC of the directions on test: "
        + ", ".join(f"{name} {direction.auc:.3f}" for name, direction in directions.items())
        + ".",
        ["as it is", *labels, *["all"][: int(together)]],
    )
    file = "attribute_" + "_".join(f"{name}{strength:+g}" for name, strength in strengths.items())
    numbers: dict[str, Attribute] = {name: {"auc": direction.auc} for name, direction in directions.items()}
    return Evaluation({f"{file}.png": figure}, {"attributes": numbers})


def _edited_faces(
    context: EvaluationContext,
    places: Sequence[int] | np.ndarray,
    steps: np.ndarray,
    title: str,
    caption: str,
    labels: list[str],
) -> Figure:
    """A row for each test image: itself, and its posterior mean plus each of the steps (columns, latents), decoded."""
    edited = decode_latents(context.vae, context.test_posterior.mean[places][:, None] + steps)
    pictures = np.concatenate([context.test_unit_images[places][:, None], edited], axis=1)
    return image_figure(
        pictures.reshape(-1, *context.vae.image_shape),
        1 + len(labels),
        title,
        caption,
        column_labels=["test image", *labels],
    )
