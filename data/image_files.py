"""The image files below a folder: which files are images, and in which order the folders are read.

A file is an image if its name has the suffix of a format that Pillow reads, or if it begins as files of such a
format do, whatever its name. Images that Pillow cannot read are named in a warning.
"""

import logging
import os
import warnings
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageFile

from common.errors import UserError
from common.names import printable

log = logging.getLogger(__name__)

# With this plugin, if it is installed, Pillow reads HEIF, the format of photographs from iPhones.
if find_spec("pillow_heif"):
    import_module("pillow_heif").register_heif_opener()
Image.init()

# Pillow has Ghostscript draw EPS, which is a program in itself; MPEG is a film, of which Pillow reads only the size.
NOT_IMAGES = ("EPS", "MPEG")


def _reads(name: str) -> bool:
    """Whether Pillow can decode this format; it recognises some that only other programs can decode."""
    factory, _ = Image.OPEN[name]
    return name not in NOT_IMAGES and not (isinstance(factory, type) and issubclass(factory, ImageFile.StubImageFile))


FORMATS = tuple(name for name in Image.OPEN if _reads(name))
SUFFIXES = tuple(suffix for suffix, name in Image.registered_extensions().items() if name in (*FORMATS, "MPO"))
# Formats with a signature. Only these can be recognised by content: any file might pass for one without.
SIGNED = tuple(name for name in FORMATS if Image.OPEN[name][1])
SIGNATURES = tuple(accept for name in SIGNED if (accept := Image.OPEN[name][1]))

IMAGE = "image"

CONVERT = "convert them to JPEG or PNG"
HEIF = (".heic", ".heif", ".hif")
# Of camera raw files Pillow would read a small preview.
OTHERS = (".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".raf", ".rw2", ".jxl", ".svg")
# What to do about images that Pillow cannot read, by their suffix.
UNREADABLE = {
    **dict.fromkeys(OTHERS, CONVERT),
    **({} if "HEIF" in FORMATS else dict.fromkeys(HEIF, f"run python -m pip install pillow-heif, or {CONVERT}")),
}
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")


def find_images(folder: Path) -> list[Path]:
    """The image files below a folder, sorted by path; hidden ones left out.

    Raises:
        UserError: no such folder, a file in its place, a folder that cannot be read, or no images.
    """
    shown = printable(folder)
    if not folder.exists():
        raise UserError(f"no folder {shown}; pass one that holds images with --data")
    if not folder.is_dir():
        raise UserError(f"{shown} is a file, not a folder; pass the folder that holds the images with --data")
    files, images = 0, []
    unreadable: dict[str, list[Path]] = {}
    with warnings.catch_warnings(action="ignore"):  # what Pillow has to say, it says again when it decodes
        for path in visible_files(folder):
            files += 1
            kind = kind_of(path)
            if kind == IMAGE:
                images.append(path)
            elif kind:
                unreadable.setdefault(kind, []).append(path)
    lines = [
        f"{len(paths)} {suffix} files, such as {printable(paths[0].relative_to(folder))}, which Pillow cannot read; "
        f"{UNREADABLE[suffix]}"
        for suffix, paths in unreadable.items()
    ]
    if not images and lines:
        raise UserError(f"no images in {shown} but {lines[0]}")
    if not images:
        raise UserError(
            f"no images in {shown} (looked at {files} files below it for any format that Pillow reads, such as JPEG, "
            "PNG, WebP, AVIF, GIF, TIFF and BMP); pass a folder that holds some with --data"
        )
    for line in lines:
        log.warning("left out %s", line)
    return sorted(images, key=lambda path: path.relative_to(folder).as_posix())


def visible_files(folder: Path) -> Iterator[Path]:
    """Files below a folder, through links to folders too, each folder once.

    A folder counts by its own path, not by that of a link to it; of several links, the first in order counts. A
    folder that cannot be entered is named in a warning, and so is a link that leads nowhere new.

    Raises:
        UserError: the folder itself cannot be read.
    """

    def refused(reason: OSError) -> None:
        if str(reason.filename) == str(folder):
            raise UserError(f"{printable(folder)} cannot be read ({reason.strerror}); pass one that can with --data")
        log.warning("left out the folder %s: %s", printable(reason.filename), reason.strerror)

    visited = set()
    starts = [str(folder)]
    for start in starts:  # which grows by the links that are found
        if os.path.realpath(start) in visited:
            log.warning("left out %s: it links to a folder that is read already", printable(start))
            continue
        for root, folders, files in os.walk(start, onerror=refused):
            real = os.path.realpath(root)
            folders[:] = [] if real in visited else sorted(name for name in folders if not name.startswith("."))
            if real not in visited:
                yield from (Path(root, name) for name in sorted(files) if not name.startswith("."))
            visited.add(real)
            starts += [path for name in folders if os.path.islink(path := os.path.join(root, name))]  # noqa: PTH114, PTH118


def kind_of(path: Path) -> str | None:
    """IMAGE, the suffix of images that Pillow cannot read, or None for other files."""
    suffix = path.suffix.lower()
    if suffix in UNREADABLE:
        return suffix
    if suffix in SUFFIXES:
        return IMAGE
    if path.is_symlink() and not path.exists():
        log.warning("left out %s: it links to nothing", printable(path))
    if not path.is_file():  # a pipe would wait for a writer
        return None
    begin = beginning(path)
    if is_heif(begin):
        return HEIF[0]
    try:
        if any(accept(begin) for accept in SIGNATURES):  # asking Pillow takes ten times as long
            with Image.open(path, formats=SIGNED):
                return IMAGE
    except Image.DecompressionBombError:  # an image, so whoever decodes it can say that it is too large
        return IMAGE
    except Exception:  # on other files, and empty ones, Pillow raises almost anything
        pass
    return None


def beginning(path: Path) -> bytes:
    """The first bytes of a file; none where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(16)
    except OSError:
        return b""


def is_heif(begin: bytes) -> bool:
    """Whether a file that begins so is HEIF, and Pillow has no plugin for it."""
    return HEIF[0] in UNREADABLE and begin[4:8] == b"ftyp" and begin[8:12] in HEIF_BRANDS
