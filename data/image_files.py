"""Finds the image files in a folder and in its sub-folders.

A file is an image if its suffix belongs to a format that Pillow reads. A file is also an image if its first bytes are
those of such a format, whatever its name is. Images that Pillow cannot read are left out with a warning.
"""

import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from common.errors import UserError
from common.names import printable
from data.image_formats import HEIF_SUFFIXES, image_formats, is_undecodable_heif

IMAGE = "image"
SIGNATURE_BYTES = 16

log = logging.getLogger(__name__)


def find_images(folder: Path) -> list[Path]:
    """The image files in a folder and its sub-folders, sorted by path; hidden files are left out.

    Raises:
        UserError: the folder does not exist, is a file, cannot be read, or holds no images.
    """
    shown = printable(folder)
    if not folder.exists():
        raise UserError(f"no folder {shown}; pass a folder of images with --data")
    if not folder.is_dir():
        raise UserError(f"{shown} is a file, not a folder; pass the folder that holds the images with --data")
    files, images = 0, []
    undecodable: dict[str, list[Path]] = {}
    with warnings.catch_warnings(action="ignore"):  # Pillow repeats its warnings when it decodes the image
        for path in visible_files(folder):
            files += 1
            kind = kind_of(path)
            if kind == IMAGE:
                images.append(path)
            elif kind:
                undecodable.setdefault(kind, []).append(path)
    lines = [
        f"{len(paths)} {suffix} files, such as {printable(paths[0].relative_to(folder))}, which Pillow cannot read; "
        f"{image_formats().remedies[suffix]}"
        for suffix, paths in undecodable.items()
    ]
    if not images and lines:
        raise UserError(f"no images in {shown} but {lines[0]}")
    if not images:
        raise UserError(
            f"no images in {shown} (looked at {files} files for the formats that Pillow reads, such as JPEG, PNG, "
            "WebP, AVIF, GIF, TIFF and BMP); pass a folder of images with --data"
        )
    for line in lines:
        log.warning("left out %s", line)
    names = names_in(folder, images)
    return [images[place] for place in sorted(range(len(images)), key=names.__getitem__)]


def names_in(folder: Path, paths: Sequence[Path]) -> list[str]:
    """The paths of files below a folder, relative to it and with slashes; several times as fast as `relative_to`."""
    above = len(folder.parts)
    return ["/".join(path.parts[above:]) for path in paths]


def visible_files(folder: Path) -> Iterator[Path]:
    """The files in a folder and its sub-folders that are not hidden.

    Links to folders are followed, but the files of a folder appear only once: under the folder's own path if that is
    below `folder`, otherwise under the first link in sorted order. A warning names a folder that cannot be read, and
    a link to a folder that has been read already.

    Raises:
        UserError: `folder` itself cannot be read.
    """

    def warn_or_raise(reason: OSError) -> None:
        if str(reason.filename) == str(folder):
            raise UserError(f"{printable(folder)} cannot be read ({reason.strerror}); pass another folder with --data")
        log.warning("left out the folder %s: %s", printable(reason.filename), reason.strerror)

    visited = set()
    starts = [str(folder)]
    for start in starts:  # the loop below appends the links that it finds
        if os.path.realpath(start) in visited:
            log.warning("left out %s: it links to a folder that has been read already", printable(start))
            continue
        for root, folders, files in os.walk(start, onerror=warn_or_raise):
            real = os.path.realpath(root)
            folders[:] = [] if real in visited else sorted(name for name in folders if not name.startswith("."))
            if real not in visited:
                inside = Path(root)
                yield from (inside / name for name in sorted(files) if not name.startswith("."))
            visited.add(real)
            starts += [path for name in folders if os.path.islink(path := os.path.join(root, name))]  # noqa: PTH114, PTH118


def kind_of(path: Path) -> str | None:
    """IMAGE for an image, the suffix for an image that Pillow cannot read, None for any other file."""
    formats, suffix = image_formats(), path.suffix.lower()
    if suffix in formats.remedies:
        return suffix
    if suffix in formats.suffixes:
        return IMAGE
    if path.is_symlink() and not path.exists():
        log.warning("left out %s: it links to nothing", printable(path))
    if not path.is_file():  # opening a pipe would wait for a writer
        return None
    begin = first_bytes(path)
    if is_undecodable_heif(begin):
        return HEIF_SUFFIXES[0]
    try:
        if any(accept(begin) for accept in formats.signatures):  # ten times as fast as Image.open for other files
            with Image.open(path, formats=formats.signed):
                return IMAGE
    except Image.DecompressionBombError:  # an image; decoding it later reports that it is too large
        return IMAGE
    except Exception:  # Pillow raises errors of many kinds for files that are empty or are no images
        pass
    return None


def first_bytes(source: Path | BinaryIO) -> bytes:
    """The first bytes of a file, enough for every signature; none if the file cannot be read."""
    if not isinstance(source, Path):
        source.seek(0)
        return source.read(SIGNATURE_BYTES)
    try:
        with source.open("rb") as file:
            return file.read(SIGNATURE_BYTES)
    except OSError:
        return b""
