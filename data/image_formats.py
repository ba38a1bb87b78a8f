"""The image formats that Pillow can read in this installation, and how to recognise their files.

Pillow reads HEIF, the format of photographs from iPhones, if the plugin pillow-heif is installed.
"""

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple

from PIL import Image, ImageFile

HEIF = "HEIF"
HEIF_SUFFIXES = (".heic", ".heif", ".hif")
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")

FREQUENT = ("JPEG", "PNG", "WEBP")
# Pillow starts the program Ghostscript to draw EPS. MPEG is a film, and Pillow reads only its size.
NOT_IMAGES = ("EPS", "MPEG")
# Pillow reads only a small preview of the camera's raw formats, and cannot read the last two formats.
NOT_READ = (".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".raf", ".rw2", ".jxl", ".svg")
CONVERT = "convert them to JPEG or PNG"


class ImageFormats(NamedTuple):
    """What Pillow can read.

    Attributes:
        names: Pillow's names of the formats that it decodes.
        suffixes: the suffixes of their files, in lower case.
        signed: the formats whose files begin with a signature. Only these are recognised by content, because every
            file could belong to a format without a signature.
        signatures: one test for each signed format; it takes the first bytes of a file.
        remedies: by suffix, what to do with images that Pillow cannot decode.
    """

    names: tuple[str, ...]
    suffixes: tuple[str, ...]
    signed: tuple[str, ...]
    signatures: tuple[Callable[[bytes], bool | str], ...]
    remedies: Mapping[str, str]


@cache
def image_formats() -> ImageFormats:
    """The formats that Pillow can read here. The first call loads Pillow's plugins, pillow-heif among them."""
    if find_spec("pillow_heif"):
        import_module("pillow_heif").register_heif_opener()
    Image.init()
    # Pillow asks one format after the other whether it can read a file, a tenth of the time that a small image takes.
    names = tuple(sorted(filter(_decodes, Image.OPEN), key=lambda name: name not in FREQUENT))
    signed = tuple(name for name in names if Image.OPEN[name][1])
    remedies = dict.fromkeys(NOT_READ, CONVERT)
    if HEIF not in names:
        remedies |= dict.fromkeys(HEIF_SUFFIXES, f"run python -m pip install pillow-heif, or {CONVERT}")
    return ImageFormats(
        names=names,
        suffixes=tuple(suffix for suffix, name in Image.registered_extensions().items() if name in (*names, "MPO")),
        signed=signed,
        signatures=tuple(accept for name in signed if (accept := Image.OPEN[name][1])),
        remedies=remedies,
    )


def _decodes(name: str) -> bool:
    """Whether Pillow can decode this format; Pillow recognises some formats that only other programs decode."""
    factory, _ = Image.OPEN[name]
    return name not in NOT_IMAGES and not (isinstance(factory, type) and issubclass(factory, ImageFile.StubImageFile))


def is_undecodable_heif(begin: bytes) -> bool:
    """Whether a file with these first bytes is HEIF, and the plugin for HEIF is not installed."""
    return HEIF not in image_formats().names and begin[4:8] == b"ftyp" and begin[8:12] in HEIF_BRANDS
