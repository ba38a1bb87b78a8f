"""Data sets by the value of `--data`: rendered faces, downloads, or a folder."""

import difflib
import re
from collections.abc import Callable
from pathlib import Path

from common.command_line import folder_path
from common.errors import UserError
from common.names import printable
from common.ranges import Range
from data.dataset import Dataset
from data.downloads import lfw, olivetti
from data.image_cache import CACHE
from data.image_folder import image_folder
from data.rendered_faces import DEFAULT_COUNT, rendered_faces
from data.split import FEWEST_IMAGES

RENDERED = "faces"
FACES = Range(FEWEST_IMAGES, 1_000_000)
COUNT = re.compile(r"\d{1,9}")
DOWNLOADS: dict[str, Callable[[int, int, Path], Dataset]] = {"olivetti": olivetti, "lfw": lfw}


def canonical(source: str) -> str:
    """The source in a form that does not depend on the current folder: faces:N, olivetti, lfw or an absolute path.

    Raises:
        UserError: N is no allowed number of faces, or the path does not exist.
    """
    name, _, count = source.partition(":")
    if name == RENDERED:
        if not count and ":" not in source:
            return f"{RENDERED}:{DEFAULT_COUNT}"
        if not COUNT.fullmatch(count) or FACES.refusal(int(count)):
            raise UserError(
                f"--data {printable(source)}: the number of faces must be a whole number from {FACES.low} to "
                f"{FACES.high}"
            )
        return f"{RENDERED}:{int(count)}"
    if source in DOWNLOADS:
        return source
    path = folder_path(source)
    if not source or not _exists(path):
        near = difflib.get_close_matches(name, [RENDERED, *DOWNLOADS], n=1)
        meant = f" (did you mean {near[0]}?)" if near else ""
        known = ", ".join([RENDERED, f"{RENDERED}:N", *DOWNLOADS])
        raise UserError(f"no folder {printable(source)}{meant}; pass {known} or a folder of images with --data")
    return str(path.resolve())


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # the name is too long for the file system
        return False


def open_dataset(source: str, size: int, channels: int, cache: Path = CACHE) -> Dataset:
    """The data set of this source, as images of `size` x `size` pixels and `channels` channels.

    What is downloaded, rendered or decoded is kept in the folder `cache`.

    Raises:
        UserError: the source does not exist or cannot be read.
    """
    source = canonical(source)
    if source in DOWNLOADS:
        return DOWNLOADS[source](size, channels, cache)
    name, _, count = source.partition(":")
    if name == RENDERED:
        return rendered_faces(int(count), size, channels, cache=cache)
    return image_folder(Path(source), size, channels, cache)
