"""Any folder of images: found recursively, decoded to one size, class sub-folders as labels."""

import logging
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from data.dataset import Dataset
from data.errors import UserError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
MOST_UNREADABLE = 0.05
MODES = {1: "L", 3: "RGB"}

log = logging.getLogger(__name__)


def image_folder(folder: Path, size: int = 128, channels: int = 1) -> Dataset:
    """Every image below `folder`, in the order of its path.

    Where images lie in two or more sub-folders of `folder`, each sub-folder is a class and gives a
    boolean label of its name. Files that cannot be decoded are named in a warning and left out.

    Raises:
        UserError: no such folder, a file in its place, no images, or over 5 % that cannot be decoded.
    """
    paths = find_images(folder)
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

    kept = [path.relative_to(folder) for path in paths if path not in unreadable]
    class_of = np.array([path.parts[0] if len(path.parts) > 1 else "" for path in kept])
    class_names = tuple(sorted(set(class_of) - {""}))
    if len(class_names) < 2:
        class_names = ()
    return Dataset(
        images=np.stack([image for image in decoded if not isinstance(image, str)]),
        names=tuple(path.as_posix() for path in kept),
        label_names=class_names,
        labels=class_of[:, None] == np.array(class_names, dtype=class_of.dtype)[None, :],
        classes=class_of if class_names else None,
        factor_names=(),
        factors=np.empty((len(kept), 0)),
    )


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
        picture = _to_eight_bits(ImageOps.exif_transpose(file))
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
