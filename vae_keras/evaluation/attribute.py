"""Attribute edits: add an attribute, or several at once, to test faces."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from common.errors import UserError
from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.evaluation.directions import auc_of, direction_of, strengths_in
from vae_keras.evaluation.edits import Changes, changes_of_factors, edited_photographs, faces_to_edit
from vae_keras.evaluation.record import Attribute, Record
from vae_keras.evaluation.selectivity import STRENGTH
from vae_keras.latent import decode_latents
from vae_keras.plots import image_figure, signed

FACES = 6
STRENGTHS = (-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0)


def attributes(asked: str, known: Sequence[str]) -> list[Callable[[EvaluationContext], Evaluation]]:
    """The evaluations for a value of `--attribute`: one sweep per name in NAME,NAME, or one edit for NAME=+2,NAME=-1.

    Args:
        asked: the value of the flag.
        known: the labels of the data. A value that equals a label is that label, even if it contains a comma.

    Raises:
        UserError: a name is empty or occurs twice, only some names have a strength, or a strength is not a number.
    """
    if asked in known:
        return [partial(attribute_sweep, name=asked)]
    if "=" in asked:
        return [partial(attribute_edit, strengths=strengths_in(asked, "--attribute"))]
    names = [name.strip() for name in asked.split(",")]
    if not all(names) or len(set(names)) < len(names):
        raise UserError(f"--attribute {asked} cannot be read; write smile, or smile,jaw, or smile=+2,jaw=-1")
    return [partial(attribute_sweep, name=name) for name in names]


def attribute_sweep(context: EvaluationContext, name: str) -> Evaluation:
    """Add one attribute, with growing strength, to test faces that do not have the attribute."""
    direction = direction_of(context, name)
    places = faces_to_edit(context, {name: STRENGTH})[:FACES]
    length = float(np.linalg.norm(direction.vector))
    changes = changes_of_factors(context, {name: STRENGTH})
    photographs = edited_photographs(context, name, STRENGTHS)
    measured = f" The bars: at {STRENGTH:+g} the edit changes {changes.in_words()}" if changes else ""
    if photographs:
        measured = (
            f" A small network, which is right for {photographs['accuracy']:.0%} of the test images, finds {name} in "
            + ", ".join(
                f"{share:.0%} at {signed(strength)}"
                for strength, share in zip(photographs["strengths"], photographs["share"], strict=True)
            )
            + f" of {photographs['images']} edited faces. At {STRENGTH:+g} a face moves by "
            f"{photographs['distance'][STRENGTHS.index(STRENGTH)]:.0%} of the distance between two different faces."
        )
    figure = _edited_faces(
        context,
        places,
        np.outer(STRENGTHS, direction.vector),
        f"Attribute: {name}",
        f"Left: test images without the attribute. Other columns: the decoder's output for the posterior mean plus a "
        f"multiple of the direction. The direction: {direction.in_words()}. Its length is {length:.2f}. The "
        f"projection on the direction separates the test images with the attribute from those without, with an AUC of "
        f"{direction.auc:.3f} (0.5 is chance)." + measured,
        [signed(strength) for strength in STRENGTHS],
        changes,
    )
    numbers = aucs_of(context, name) | {
        "direction": direction.method,
        "length": length,
        "images": context.test_names(places),
    }
    record: Record = {"attributes": {name: numbers}}
    if photographs:
        record["edited_photographs"] = {name: photographs}
    return Evaluation({f"attribute_{name}.png": figure}, record)


def attribute_edit(context: EvaluationContext, strengths: dict[str, float]) -> Evaluation:
    """Add several attributes to the same test faces: each one alone, and all together."""
    directions = {name: direction_of(context, name) for name in strengths}
    each = np.stack([strength * directions[name].vector for name, strength in strengths.items()])
    labels = [f"{name} {signed(strength)}" for name, strength in strengths.items()]
    together = len(labels) > 1
    changes = changes_of_factors(context, strengths)
    figure = _edited_faces(
        context,
        faces_to_edit(context, strengths)[:FACES],
        np.concatenate([np.zeros_like(each[:1]), each, each.sum(axis=0, keepdims=True)[: int(together)]]),
        f"Attributes: {', '.join(labels)}",
        "Left: test images that lack what is added and have what is removed, or any test images if there are none. "
        "Other columns: the decoder's output for the posterior mean, unchanged, then plus a "
        "multiple of each attribute's direction, then plus all of them. Methods of the directions, and their AUC on "
        "the test images: "
        + ", ".join(f"{name} {direction.method} {direction.auc:.3f}" for name, direction in directions.items())
        + "."
        + (" The bars: the mean change of each factor by all edits together." if changes else ""),
        ["unchanged", *labels, *["all"][: int(together)]],
        changes,
    )
    file = "attribute_" + "_".join(f"{name}{strength:+g}" for name, strength in strengths.items())
    numbers = {name: aucs_of(context, name) | {"direction": found.method} for name, found in directions.items()}
    return Evaluation({f"{file}.png": figure}, {"attributes": numbers})


def aucs_of(context: EvaluationContext, name: str) -> Attribute:
    """How well the class means' direction of a label, and the logistic one, separate the test images."""
    vectors = {method: context.directions.vector(name, method) for method in ("means", "logistic")}
    aucs = {method: auc_of(context, name, vector) for method, vector in vectors.items() if vector is not None}
    return {"auc": aucs["means"], "auc_logistic": aucs.get("logistic", 0.5)}


def _edited_faces(
    context: EvaluationContext,
    places: Sequence[int] | np.ndarray,
    steps: np.ndarray,
    title: str,
    caption: str,
    labels: list[str],
    changes: Changes | None,
) -> Figure:
    """One row per test image: the image, then its posterior mean plus each of the steps (columns, latents), decoded.

    Below the images stands what the edit changes, if it was measured.
    """
    edited = decode_latents(context.vae, context.test_posterior.mean[places][:, None] + steps)
    pictures = np.concatenate([context.test_pixels(places)[:, None], edited], axis=1)
    return image_figure(
        pictures.reshape(-1, *context.vae.image_shape),
        1 + len(labels),
        title,
        caption,
        column_labels=["test image", *labels],
        bars={name.replace("_", " "): change for name, change in changes.of_factor.items()} if changes else None,
        bars_unit="standard deviations",
    )
