"""Decodes one image file to a square array of pixels of the requested size."""

import io
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from data.image_files import first_bytes
from data.image_formats import HEIF_SUFFIXES, image_formats, is_undecodable_heif

MODES = {1: "L", 3: "RGB"}
EIGHT_BITS, TWELVE_BITS = 255, 4095
BLACK = "have pixels of 16 or 32 bits but no value above 255, and therefore look black; save them with 8 bits a channel"
DARK = (
    "have pixels of 16 bits but no value above 4095, as 12-bit cameras write them, and therefore look dark; "
    "save them with values up to 65535"
)
ENLARGED = "are smaller than --image-size and were enlarged; a smaller --image-size loses nothing"
NO_EXIF = "have EXIF data that cannot be read; they are not turned upright"
NO_PROFILE = "have a colour profile that cannot be used; their colours are read as sRGB"


class DecodedImage(NamedTuple):
    """One decoded image file.

    Attributes:
        pixels: (size, size, channels) uint8.
        warnings: what the user should know about the file. Each is the end of a sentence about several images.
    """

    pixels: np.ndarray
    warnings: tuple[str, ...] = ()


def decode(source: Path | BinaryIO, size: int, channels: int) -> DecodedImage:
    """Decode one image file to `size` x `size` pixels of 1 (grey) or 3 (RGB) channels.

    The steps are: turn the image upright (EXIF orientation), put white behind transparent pixels, convert to sRGB
    (colour profile), crop to the central square, resize with antialiasing. Values of 16 bits are divided by 257. Some
    files use only 8 or 12 of the 16 bits, and such a file looks black or dark; a warning says so.

    Raises:
        Exception: the file cannot be decoded. Pillow's decoders raise errors of many classes.
    """
    with Image.open(source, formats=image_formats().names) as file:
        profile = file.info.get("icc_profile")
        upright, unreadable = _upright(file)
        image, warnings = _to_eight_bits(upright)
        warnings += unreadable
    if profile:
        try:
            image = _to_srgb(image, profile)
        except (ImageCms.PyCMSError, OSError, ValueError):
            warnings = (*warnings, NO_PROFILE)
    if min(image.size) < size:
        warnings = (*warnings, ENLARGED)
    return DecodedImage(fit_square(image, size, channels), warnings)


def decode_or_reason(source: Path | BinaryIO, size: int, channels: int) -> DecodedImage | str:
    """The decoded image, or the reason why the file cannot be decoded."""
    if isinstance(source, Path) and source.exists() and not source.is_file():  # opening a pipe would wait for a writer
        return "it is not a regular file"
    try:
        return decode(source, size, channels)
    except UnidentifiedImageError:
        if is_undecodable_heif(first_bytes(source)):
            return f"it is HEIF; {image_formats().remedies[HEIF_SUFFIXES[0]]}"
        return "it is not an image that Pillow can read"
    except Exception as damage:  # Pillow's decoders raise errors of many kinds for damaged files
        return str(damage).replace(repr(str(source)), "the file") or type(damage).__name__


def fit_square(image: Image.Image, size: int, channels: int) -> np.ndarray:
    """The central square of a grey or RGB image, resized with antialiasing, (size, size, channels) uint8."""
    image = ImageOps.fit(image.convert(MODES[channels]), (size, size), Image.Resampling.LANCZOS)
    return np.asarray(image, np.uint8).reshape(size, size, channels)


def _upright(image: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    """The image, turned as its EXIF data says; and warnings."""
    image.load()  # an error of the pixels is no error of the EXIF data
    try:
        return ImageOps.exif_transpose(image), ()
    except MemoryError:  # of turning a large image
        raise
    except Exception:  # Pillow raises errors of many classes for malformed EXIF data, SyntaxError among them
        return image, (NO_EXIF,)


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """The image with its colours converted from this profile to sRGB."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    # A conversion from sRGB to sRGB would only add rounding errors.
    if ImageCms.getProfileDescription(source).startswith("sRGB"):
        return image
    converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert converted is not None
    return converted


def _to_eight_bits(image: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    """The image in grey, RGB or CMYK of 8 bits a channel, without transparency; and warnings."""
    if image.mode == "F":
        raise ValueError("floating-point pixels have no fixed range")
    if image.mode.startswith("I"):
        # 16-bit grey. Pillow's own conversion would clip the values at 255. 65535 = 257 x 255.
        wide = np.asarray(image)
        if wide.min() < 0 or wide.max() > 65535:
            raise ValueError("32-bit pixels have no fixed range")
        grey = np.rint(wide / 257).astype(np.uint8)
        clear = wide == image.info.get("transparency", -1)
        grey[clear] = 255
        brightest = wide[~clear].max(initial=0)
        limit = next((limit for limit in (EIGHT_BITS, TWELVE_BITS) if 0 < brightest <= limit), None)
        return Image.fromarray(grey), {EIGHT_BITS: (BLACK,), TWELVE_BITS: (DARK,), None: ()}[limit]
    if image.has_transparency_data:
        clear = image.info.get("transparency")
        if isinstance(clear, tuple) and max(clear) > EIGHT_BITS:  # of 16 bits, of which Pillow keeps the upper eight
            image.info["transparency"] = tuple(value >> 8 for value in clear)
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB"), ()
    if image.mode == "CMYK":
        return image, ()
    return image.convert("L" if image.mode in ("1", "L") else "RGB"), ()
