"""Attribute edits of a user's own pictures."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common.errors import UserError
from common.names import printable
from vae_keras.evaluation.context import EvaluationContext
from vae_keras.evaluation.directions import direction_of, strengths_in
from vae_keras.latent import decode_latents
from vae_keras.pictures import read_picture
from vae_keras.plots import image_grid


class PictureEdits(NamedTuple):
    """Pictures, and the edits of each.

    Attributes:
        pictures: the paths of the files.
        edits: the strength of each attribute, by its name, for each edit.
    """

    pictures: list[Path]
    edits: list[dict[str, float]]


def picture_edits(typed: Sequence[str]) -> PictureEdits:
    """What `--edit me.png you.png smile=+2 smile=+2,jaw=-1` asks for: pictures first, then edits.

    Raises:
        UserError: there is no picture or no edit, a file does not exist, or an edit cannot be read.
    """
    pictures = [*itertools.takewhile(lambda value: "=" not in value or Path(value).exists(), typed)]
    edits = typed[len(pictures) :]
    if not pictures or not edits:
        missing = "an edit" if pictures else "a picture"
        raise UserError(f"--edit needs {missing}; write --edit me.png smile=+2")
    for path in pictures:
        if not Path(path).is_file():
            raise UserError(f"no file {printable(path)}; write --edit with pictures first, then edits such as smile=+2")
    return PictureEdits([Path(path) for path in pictures], [strengths_in(edit, "--edit") for edit in edits])


def edited_pictures(context: EvaluationContext, asked: PictureEdits) -> np.ndarray:
    """The edited pictures as one image, (height, width, channels) in [0, 1]: a row per picture, a column per edit.

    An edit adds a multiple of each attribute's direction to the posterior mean of the picture, and decodes the sum.

    Raises:
        UserError: a picture cannot be read, or an attribute has no direction.
    """
    pictures = np.stack([read_picture(path, context.vae) for path in asked.pictures])
    steps = [
        sum(strength * direction_of(context, name).vector for name, strength in edit.items()) for edit in asked.edits
    ]
    means = np.asarray(context.vae.encode(pictures).mean)
    edited = decode_latents(context.vae, means[:, None] + np.stack(steps))
    return image_grid(edited.reshape(-1, *context.vae.image_shape), columns=len(steps))
