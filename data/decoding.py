"""One image file as pixels: upright, on white, square, of one size."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from data.image_files import FORMATS

MODES = {1: "L", 3: "RGB"}


def decode(path: Path, size: int, channels: int) -> np.ndarray:
    """One image file as (size, size, channels) uint8.

    Turned upright by its EXIF orientation, laid on white where transparent, cropped to
    its central square and resized with antialiasing.

    Raises:
        Exception: it cannot be decoded; of which kind is the decoder's choice.
    """
    with Image.open(path, formats=FORMATS) as file:
        return fit_square(_to_eight_bits(ImageOps.exif_transpose(file)), size, channels)


def fit_square(picture: Image.Image, size: int, channels: int) -> np.ndarray:
    """The central square of a grey or RGB picture, resized with antialiasing, (size, size, channels) uint8."""
    picture = ImageOps.fit(picture.convert(MODES[channels]), (size, size), Image.Resampling.LANCZOS)
    return np.asarray(picture, np.uint8).reshape(size, size, channels)


def _to_eight_bits(picture: Image.Image) -> Image.Image:
    """Grey or RGB of 8 bits a channel, nothing transparent."""
    if picture.mode == "F":
        raise ValueError("floating-point pixels have no fixed range")
    if picture.mode.startswith("I"):
        # 16-bit grey, which Pillow's own conversion would clip at 255: 65535 = 257 x 255.
        wide = np.asarray(picture)
        if wide.min() < 0 or wide.max() > 65535:
            raise ValueError("32-bit pixels have no fixed range")
        return Image.fromarray(np.rint(wide / 257).astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")
