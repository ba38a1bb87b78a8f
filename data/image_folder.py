"""Any folder of images: found recursively, decoded to one size, labelled by class sub-folders and by a table."""

import logging
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import UnidentifiedImageError

from common.errors import UserError
from common.names import printable
from data.attributes import Attributes, read_attributes
from data.dataset import Dataset
from data.decoding import Decoded, decode
from data.image_files import HEIF, UNREADABLE, beginning, find_images, is_heif

MOST_UNREADABLE = 0.05
SMILES = ("smile", "smiling")

log = logging.getLogger(__name__)


def image_folder(folder: Path, size: int = 128, channels: int = 1) -> Dataset:
    """Every image below `folder`, in the order of its path.

    Where images lie in two or more sub-folders of `folder`, each sub-folder is a class and gives a
    boolean label of its name, as `common.names.printable` spells it. A table of attributes (`data.attributes`) gives
    labels and factors; without class sub-folders, its smile makes the classes. Files that cannot be decoded are
    named in a warning and left out.

    Raises:
        UserError: no such folder, a file in its place, no images, over 5 % that cannot be decoded, or a
            table that cannot be read or does not fit.
    """
    paths = find_images(folder)
    names = [path.relative_to(folder).as_posix() for path in paths]
    class_of = _classes(folder, names)
    class_names = tuple(np.unique(class_of[class_of != ""]).tolist())
    if len(class_names) < 2:
        class_names = ()
    # Before the images are decoded, which takes long: what is wrong with the table shows at once.
    table = read_attributes(folder, names)
    if table is None:
        table = Attributes((), np.empty((len(names), 0), bool), (), np.empty((len(names), 0)))
    for name in class_names:
        if name in table.label_names:
            raise UserError(
                f"{name} is a sub-folder of {printable(folder)} and a column of the table in it; rename one of them"
            )

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


def _classes(folder: Path, names: Sequence[str]) -> np.ndarray:
    """The sub-folder that each image lies in, as people read its name, (n,) str; empty for those that lie in none."""
    sub_folders = [name.partition("/")[0] if "/" in name else "" for name in names]
    shown = {name: printable(name) for name in sorted(set(sub_folders))}
    for name, times in Counter(shown.values()).items():
        if times > 1:
            raise UserError(f"{times} sub-folders of {printable(folder)} are shown as {name}; rename all but one")
    return np.array([shown[name] for name in sub_folders])


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
            f"{len(unreadable)} of {len(paths)} images in {printable(folder)} cannot be decoded, such as "
            f"{printable(example.name)} ({printable(reason)}); remove or repair them"
        )
    for path, reason in unreadable.items():
        log.warning("left out %s: %s", printable(path), printable(reason))
    kept = [(index, result) for index, result in enumerate(decoded) if not isinstance(result, str)]
    remarked: dict[str, list[int]] = {}
    for index, result in kept:
        for remark in result.remarks:
            remarked.setdefault(remark, []).append(index)
    for remark, of in remarked.items():
        log.warning("%d images, such as %s, %s", len(of), printable(paths[of[0]]), remark)
    return np.stack([result.image for _, result in kept]), np.array([index for index, _ in kept])


def _decode_or_reason(path: Path, size: int, channels: int) -> Decoded | str:
    if path.exists() and not path.is_file():  # a pipe would wait for a writer
        return "it is not a regular file"
    try:
        return decode(path, size, channels)
    except UnidentifiedImageError:
        return f"it is HEIF; {UNREADABLE[HEIF[0]]}" if is_heif(beginning(path)) else "it is no image that Pillow reads"
    except Exception as damage:  # on damaged files Pillow's decoders raise almost anything
        return str(damage).replace(repr(str(path)), "the file") or type(damage).__name__
