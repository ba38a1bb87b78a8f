"""Single pictures: read one as the images of a training are read, and save one that a model has decoded."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from PIL import Image

from common.errors import UserError
from common.files import atomic_write
from common.names import printable
from data.decoding import ENLARGED, decode_or_reason
from data.images import unit_pixels

if TYPE_CHECKING:
    from vae_keras.model import VAE

log = logging.getLogger(__name__)


def read_picture(source: str | Path | BinaryIO, vae: "VAE") -> np.ndarray:
    """The central square of a picture as an input of the model, (height, width, channels) float32 in [0, 1].

    The picture is cropped, resized and converted to the model's channels exactly as the images of a folder are
    (`data.decoding`).

    Args:
        source: the path of the file, or the opened file.

    Raises:
        UserError: there is no such file, or it cannot be decoded.
    """
    if isinstance(source, str):
        source = Path(source)
    name = printable(source) if isinstance(source, Path) else "the picture"
    if isinstance(source, Path) and not source.exists():
        raise UserError(f"no file {name}; pass a picture, such as a JPEG or PNG")
    size, _, channels = vae.image_shape
    decoded = decode_or_reason(source, size, channels)
    if isinstance(decoded, str):
        raise UserError(f"{name} cannot be read: {printable(decoded)}; pass another picture")
    for warning in decoded.warnings:
        if warning == ENLARGED:
            log.warning("%s is smaller than the %d pixels of the model's images, and was enlarged", name, size)
        else:
            log.warning("images such as %s %s", name, warning)
    return unit_pixels(decoded.pixels)


def save_picture(picture: np.ndarray, path: str | Path) -> None:
    """Save one picture; the suffix of the path, such as .png or .jpg, chooses the format.

    Args:
        picture: (height, width, channels) in [0, 1], with 1 channel (grey) or 3 (RGB), as `VAE.decode` gives them.

    Raises:
        ValueError: the array has another shape, or values outside [0, 1].
        UserError: Pillow writes no format with this suffix.
    """
    path, picture = Path(path), np.asarray(picture)
    if picture.ndim != 3 or picture.shape[-1] not in (1, 3):
        raise ValueError(f"one picture is (height, width, 1 or 3 channels), this array is {picture.shape}")
    if not (picture.min() >= 0 and picture.max() <= 1):
        raise ValueError(f"pixels are in [0, 1], these are from {picture.min():g} to {picture.max():g}")
    check_suffix(path)
    with atomic_write(path) as temporary:
        as_image(np.rint(picture * 255).astype(np.uint8)).save(temporary)


def as_image(pixels: np.ndarray) -> Image.Image:
    """Pixels (height, width, 1 or 3 channels) uint8 as an image of Pillow."""
    return Image.fromarray(pixels.squeeze(-1) if pixels.shape[-1] == 1 else pixels)


def check_suffix(path: Path) -> None:
    """Refuse a path whose suffix names no format that Pillow writes.

    Raises:
        UserError: it names none.
    """
    if Image.registered_extensions().get(path.suffix.lower()) not in Image.SAVE:
        raise UserError(f"{printable(path)} names no picture format that can be written; end it with .png or .jpg")
