"""`--data`: from what a user types to a data set."""

import difflib
import re
from collections.abc import Callable
from pathlib import Path

from common.command_line import Range, folder_path
from common.errors import UserError
from common.names import printable
from data.dataset import Dataset
from data.downloads import lfw, olivetti
from data.image_folder import image_folder
from data.rendered_faces import DEFAULT_COUNT, rendered_faces
from data.split import FEWEST_IMAGES

RENDERED = "faces"
FACES = Range(FEWEST_IMAGES, 1_000_000)
COUNT = re.compile(r"\d{1,9}")
BENCHMARKS: dict[str, Callable[[int, int], Dataset]] = {"olivetti": olivetti, "lfw": lfw}


def canonical(source: str) -> str:
    """The same source, spelled so that it means the same from any folder: faces:N, a benchmark or an absolute path.

    Raises:
        UserError: a number of faces that is none, or a path where nothing is.
    """
    name, _, count = source.partition(":")
    if name == RENDERED:
        if not count and ":" not in source:
            return f"{RENDERED}:{DEFAULT_COUNT}"
        if not COUNT.fullmatch(count) or FACES.refusal(int(count)):
            raise UserError(
                f"--data {printable(source)}: the number of faces is a whole number from {FEWEST_IMAGES} up to "
                f"{FACES.high}"
            )
        return f"{RENDERED}:{int(count)}"
    if source in BENCHMARKS:
        return source
    path = folder_path(source)
    if not source or not _exists(path):
        near = difflib.get_close_matches(name, [RENDERED, *BENCHMARKS], n=1)
        meant = f" (did you mean {near[0]}?)" if near else ""
        known = ", ".join([RENDERED, f"{RENDERED}:N", *BENCHMARKS])
        raise UserError(f"no folder {printable(source)}{meant}; pass {known} or a folder of images with --data")
    return str(path.resolve())


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name too long to be one
        return False


def open_dataset(source: str, size: int, channels: int) -> Dataset:
    """The data set that `source` names, as `size` x `size` images of `channels` channels.

    Raises:
        UserError: there is none, or it cannot be read.
    """
    source = canonical(source)
    if source in BENCHMARKS:
        return BENCHMARKS[source](size, channels)
    name, _, count = source.partition(":")
    if name == RENDERED:
        return rendered_faces(int(count), size, channels)
    return image_folder(Path(source), size, channels)
