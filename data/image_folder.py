"""A folder of images as a data set, with labels from its sub-folders and from a table of attributes."""

import logging
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from common.errors import UserError
from common.names import printable
from data.attributes import Attributes, read_attributes
from data.dataset import Dataset
from data.decoding import decode_or_reason
from data.image_files import find_images
from data.images import ImagesInMemory

MOST_DAMAGED = 0.05
SMILES = ("smile", "smiling")

log = logging.getLogger(__name__)


def image_folder(folder: Path, size: int = 128, channels: int = 1) -> Dataset:
    """Every image in `folder` and its sub-folders, sorted by path, as `size` x `size` pixels.

    If images are in two or more sub-folders of `folder`, each sub-folder is a class. Its name, as
    `common.names.printable` writes it, is also a label. A table of attributes (`data.attributes`) gives more labels,
    and factors. Without class sub-folders, the label smile or smiling gives the classes. Files that cannot be decoded
    are left out with a warning.

    Raises:
        UserError: the folder does not exist, is a file, or holds no images; more than 5 % of the images cannot be
            decoded; the table cannot be read or does not fit the images.
    """
    paths = find_images(folder)
    names = [path.relative_to(folder).as_posix() for path in paths]
    class_of = _classes(folder, names)
    class_names = tuple(np.unique(class_of[class_of != ""]).tolist())
    if len(class_names) < 2:
        class_names = ()
    # The table comes before the slow decoding of the images, so that an error in the table appears at once.
    attributes = read_attributes(folder, names)
    if attributes is None:
        attributes = Attributes((), np.empty((len(names), 0), bool), (), np.empty((len(names), 0)))
    for name in class_names:
        if name in attributes.label_names:
            raise UserError(
                f"{name} is a sub-folder of {printable(folder)} and a column of its table; rename one of them"
            )

    images, kept = _decode_all(folder, paths, size, channels)
    is_class = class_of[:, None] == np.array(class_names, dtype=class_of.dtype)[None, :]
    classes = class_of if class_names else _smile_classes(attributes)
    return Dataset(
        images=ImagesInMemory(images),
        names=tuple(names[index] for index in kept),
        label_names=class_names + attributes.label_names,
        labels=np.hstack([is_class, attributes.labels])[kept],
        classes=None if classes is None else classes[kept],
        factor_names=attributes.factor_names,
        factors=attributes.factors[kept],
    )


def _classes(folder: Path, names: Sequence[str]) -> np.ndarray:
    """The printable name of each image's sub-folder, (n,) str; empty for an image directly in `folder`."""
    sub_folders = [name.partition("/")[0] if "/" in name else "" for name in names]
    shown = {name: printable(name) for name in sorted(set(sub_folders))}
    for name, times in Counter(shown.values()).items():
        if times > 1:
            raise UserError(f"{times} sub-folders of {printable(folder)} are printed as {name}; rename all but one")
    return np.array([shown[name] for name in sub_folders])


def _smile_classes(attributes: Attributes) -> np.ndarray | None:
    """The classes smile and non_smile, (n,) str; None if no label is called smile or smiling."""
    for name, label in zip(attributes.label_names, attributes.labels.T, strict=True):
        if name.lower() in SMILES:
            return np.where(label, "smile", "non_smile")
    return None


def _decode_all(folder: Path, paths: Sequence[Path], size: int, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """The images that can be decoded, (m, size, size, channels) uint8, and their indices in `paths`, (m,) int."""
    with ThreadPoolExecutor() as pool:
        decoded = list(pool.map(lambda path: decode_or_reason(path, size, channels), paths))
    damaged = {path: result for path, result in zip(paths, decoded, strict=True) if isinstance(result, str)}
    if len(damaged) > MOST_DAMAGED * len(paths):
        example, reason = next(iter(damaged.items()))
        raise UserError(
            f"{len(damaged)} of {len(paths)} images in {printable(folder)} cannot be decoded, such as "
            f"{printable(example.name)} ({printable(reason)}); remove or repair them"
        )
    for path, reason in damaged.items():
        log.warning("left out %s: %s", printable(path), printable(reason))
    kept = [(index, result) for index, result in enumerate(decoded) if not isinstance(result, str)]
    images_with: dict[str, list[int]] = {}
    for index, result in kept:
        for warning in result.warnings:
            images_with.setdefault(warning, []).append(index)
    for warning, indices in images_with.items():
        log.warning("%d images, such as %s, %s", len(indices), printable(paths[indices[0]]), warning)
    return np.stack([result.pixels for _, result in kept]), np.array([index for index, _ in kept])
