"""Any folder of images: found recursively, decoded to one size, labelled by class sub-folders and by a table."""

import logging
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from data.attributes import Attributes, read_attributes
from data.dataset import Dataset
from data.errors import UserError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
MOST_UNREADABLE = 0.05
MODES = {1: "L", 3: "RGB"}
SMILES = ("smile", "smiling")

log = logging.getLogger(__name__)


def image_folder(folder: Path, size: int = 128, channels: int = 1) -> Dataset:
    """Every image below `folder`, in the order of its path.

    Where images lie in two or more sub-folders of `folder`, each sub-folder is a class and gives a
    boolean label of its name. A table of attributes in `folder` (`data.attributes`) gives labels and factors;
    without class sub-folders, its smile makes the classes. Files that cannot be decoded are named in a
    warning and left out.

    Raises:
        UserError: no such folder, a file in its place, no images, over 5 % that cannot be decoded, or a
            table that cannot be read or does not fit.
    """
    paths = find_images(folder)
    names = [path.relative_to(folder).as_posix() for path in paths]
    class_of = _sub_folders(names)
    class_names = tuple(np.unique(class_of[class_of != ""]).tolist())
    if len(class_names) < 2:
        class_names = ()
    # Before the images are decoded, which takes long: what is wrong with the table shows at once.
    table = read_attributes(folder, names)
    if table is None:
        table = Attributes((), np.empty((len(names), 0), bool), (), np.empty((len(names), 0)))
    for name in class_names:
        if name in table.label_names:
            raise UserError(f"{name} is a sub-folder of {folder} and a column of the table in it; rename one of them")

    images, kept = _decode_all(folder, paths, size, channels)
    is_class = class_of[:, None] == np.array(class_names, dtype=class_of.dtype)[None, :]
    classes = class_of if class_names else _smiles(table)
    return Dataset(
        images=images,
        names=tuple(names[index] for index in kept),
        label_names=class_names + table.label_names,
        labels=np.hstack([is_class, table.labels])[kept],
        classes=None if classes is None else classes[kept],
        factor_names=table.factor_names,
        factors=table.factors[kept],
    )


def _sub_folders(names: Sequence[str]) -> np.ndarray:
    """The sub-folder that each image lies in, (n,) str; empty for those that lie in none."""
    return np.array([name.partition("/")[0] if "/" in name else "" for name in names])


def _smiles(table: Attributes) -> np.ndarray | None:
    """The classes smile and non_smile, (n,) str, where the table tells who smiles."""
    for name, label in zip(table.label_names, table.labels.T, strict=True):
        if name.lower() in SMILES:
            return np.where(label, "smile", "non_smile")
    return None


def _decode_all(folder: Path, paths: Sequence[Path], size: int, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """The images that can be decoded, (m, size, size, channels) uint8, and their places in `paths`, (m,) int."""
    with ThreadPoolExecutor() as pool:
        decoded = list(pool.map(lambda path: _decode_or_reason(path, size, channels), paths))
    unreadable = {path: result for path, result in zip(paths, decoded, strict=True) if isinstance(result, str)}
    if len(unreadable) > MOST_UNREADABLE * len(paths):
        example, reason = next(iter(unreadable.items()))
        raise UserError(
            f"{len(unreadable)} of {len(paths)} images in {folder} cannot be decoded, such as "
            f"{example.name} ({reason}); remove or repair them"
        )
    for path, reason in unreadable.items():
        log.warning("left out %s: %s", path, reason)
    kept = [index for index, path in enumerate(paths) if path not in unreadable]
    return np.stack([image for image in decoded if not isinstance(image, str)]), np.array(kept)


def find_images(folder: Path) -> list[Path]:
    """The image files below a folder, sorted by path; hidden ones left out."""
    if not folder.exists():
        raise UserError(f"no folder {folder}; pass one that holds images with --data")
    if not folder.is_dir():
        raise UserError(f"{folder} is a file, not a folder; pass the folder that holds the images with --data")
    found = [path for path in _visible_files(folder) if path.suffix.lower() in SUFFIXES]
    if not found:
        raise UserError(
            f"no images in {folder} (looked for {' '.join(SUFFIXES)} below it); "
            "pass a folder that holds some with --data"
        )
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def _visible_files(folder: Path) -> Iterator[Path]:
    """Files below a folder, through links to folders too, each folder once."""
    visited = set()
    for root, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(root)
        folders[:] = [] if real in visited else [name for name in folders if not name.startswith(".")]
        if real not in visited:
            yield from (Path(root, name) for name in files if not name.startswith("."))
        visited.add(real)


def _decode_or_reason(path: Path, size: int, channels: int) -> np.ndarray | str:
    try:
        return decode(path, size, channels)
    except Exception as damage:  # on damaged files Pillow's decoders raise almost anything
        return str(damage).replace(repr(str(path)), "the file") or type(damage).__name__


def decode(path: Path, size: int, channels: int) -> np.ndarray:
    """One image file as (size, size, channels) uint8.

    Turned upright by its EXIF orientation, laid on white where transparent, cropped to
    its central square and resized with antialiasing.

    Raises:
        Exception: it cannot be decoded; of which kind is the decoder's choice.
    """
    with Image.open(path) as file:
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
