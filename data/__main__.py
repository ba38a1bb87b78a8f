"""Write rendered faces as a folder of images with classes: python -m data faces 200 my_faces."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from common.installed import require_packages

require_packages("python -m data", ("numpy", "PIL", "joblib"))

from PIL import Image

from common.command_line import Parser, Remedies, folder_path, run_script
from common.errors import UserError
from common.files import atomic_write
from data.image_cache import CACHE, CACHE_HELP
from data.rendered_faces import rendered_faces

REMEDIES = Remedies(
    memory="write fewer faces, or smaller ones with --size",
    space="make room there, or name another folder",
    refusal="name a folder that can be written",
)
LARGEST = 1_000_000


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The flags in these arguments, or on the command line.

    Raises:
        UserError: a flag has a wrong value.
    """
    parser = Parser(prog="python -m data", description=__doc__)
    parser.add_argument("source", choices=["faces"], help="faces: rendered faces, smiling and not")
    parser.add_argument("count", type=int, help="number of faces")
    parser.add_argument("folder", type=folder_path, help="the folder to write; each class becomes a sub-folder")
    parser.add_argument("--size", type=int, default=64, metavar="PIXELS", help="height and width (default 64)")
    parser.add_argument("--cache", type=folder_path, default=CACHE, metavar="FOLDER", help=CACHE_HELP)
    parser.add_argument("--channels", type=int, default=3, choices=[1, 3], help="1 for grey, 3 for RGB (default 3)")
    flags = parser.flags(arguments)
    for name, value in (("count", flags.count), ("--size", flags.size)):
        if not 1 <= value <= LARGEST:
            raise UserError(f"{name} {value} must be from 1 to {LARGEST}")
    return flags


def write_faces(count: int, folder: Path, size: int, channels: int, cache: Path = CACHE) -> int:
    """Write faces as PNG files, by class; returns how many were written.

    Raises:
        UserError: the folder exists and is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} exists and is not an empty folder; name another one")
    faces = rendered_faces(count, size, channels, cache=cache)
    assert faces.classes is not None
    for index, (name, kind) in enumerate(zip(faces.names, faces.classes, strict=True)):
        with atomic_write(folder / kind / f"{name}.png") as temporary:
            Image.fromarray(faces.images.batch([index])[0].squeeze()).save(temporary)
    return count


def write(arguments: Sequence[str] | None) -> None:
    """Write the faces that the flags ask for."""
    flags = parse(arguments)
    written = write_faces(flags.count, flags.folder, flags.size, flags.channels, flags.cache)
    print(f"{flags.folder}: {written} faces in sub-folders by class; python train.py --data {flags.folder}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    return run_script("python -m data", lambda: write(arguments), REMEDIES)


if __name__ == "__main__":
    sys.exit(main())
