"""One image file as pixels: upright, on white, square, of one size."""

import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageCms, ImageOps

from data.image_files import FORMATS

MODES = {1: "L", 3: "RGB"}
TWELVE_BITS = 4095
DARK = (
    "hold 16 bits a pixel but no value above 4095, as 12-bit cameras write them, and so come out dark; save them anew"
)
NO_PROFILE = "have a colour profile that cannot be used; their colours are taken as sRGB"


class Decoded(NamedTuple):
    """An image as it was read.

    Attributes:
        image: (size, size, channels) uint8.
        remarks: what the user should know of the file, as the end of a sentence about several files.
    """

    image: np.ndarray
    remarks: tuple[str, ...] = ()


def decode(path: Path, size: int, channels: int) -> Decoded:
    """Read one image file.

    The image is turned upright by its EXIF orientation, laid on white where transparent, converted to sRGB by its
    colour profile, cropped to its central square and resized with antialiasing. Pixels of 16 bits are divided by 257,
    also where a file uses fewer of the bits: such a file cannot be told from a dark photograph, so a remark says it.

    Raises:
        Exception: it cannot be decoded; of which kind is the decoder's choice.
    """
    with Image.open(path, formats=FORMATS) as file:
        profile = file.info.get("icc_profile")
        picture, remarks = _to_eight_bits(ImageOps.exif_transpose(file))
    if profile:
        try:
            picture = _to_srgb(picture, profile)
        except (ImageCms.PyCMSError, OSError, ValueError):
            remarks = (*remarks, NO_PROFILE)
    return Decoded(fit_square(picture, size, channels), remarks)


def fit_square(picture: Image.Image, size: int, channels: int) -> np.ndarray:
    """The central square of a grey or RGB picture, resized with antialiasing, (size, size, channels) uint8."""
    picture = ImageOps.fit(picture.convert(MODES[channels]), (size, size), Image.Resampling.LANCZOS)
    return np.asarray(picture, np.uint8).reshape(size, size, channels)


def _to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """The picture's colours as sRGB has them."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    # Converting from sRGB to itself would only round.
    if ImageCms.getProfileDescription(source).startswith("sRGB"):
        return picture
    converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert converted is not None
    return converted


def _to_eight_bits(picture: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    """Grey, RGB or CMYK of 8 bits a channel, nothing transparent; and remarks."""
    if picture.mode == "F":
        raise ValueError("floating-point pixels have no fixed range")
    if picture.mode.startswith("I"):
        # 16-bit grey, which Pillow's own conversion would clip at 255: 65535 = 257 x 255.
        wide = np.asarray(picture)
        if wide.min() < 0 or wide.max() > 65535:
            raise ValueError("32-bit pixels have no fixed range")
        remarks = (DARK,) if 255 < wide.max() <= TWELVE_BITS else ()
        return Image.fromarray(np.rint(wide / 257).astype(np.uint8)), remarks
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB"), ()
    if picture.mode == "CMYK":
        return picture, ()
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB"), ()
