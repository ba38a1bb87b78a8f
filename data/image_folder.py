"""A folder of images as a data set, with labels from its sub-folders and from a table of attributes."""

import functools
import hashlib
import inspect
import logging
import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import PIL

from common.errors import UserError
from common.names import printable
from data import decoding
from data.attributes import Attributes, read_attributes
from data.dataset import Dataset
from data.image_cache import CACHE, Found, Request, Stamp, cached_images
from data.image_files import find_images, names_in
from data.image_formats import image_formats

MOST_DAMAGED = 0.05
MOST_OF_NAME = 40  # letters of the folder, in the name of its cache
SMILES = ("smile", "smiling")

log = logging.getLogger(__name__)


def image_folder(folder: Path, size: int = 128, channels: int = 1, cache: Path = CACHE) -> Dataset:
    """Every image in `folder` and its sub-folders, sorted by path, as `size` x `size` pixels.

    Decoded images are kept in the folder `cache`. Only files that are new, or whose size or times have changed, are
    decoded again.

    If images are in two or more sub-folders of `folder`, each sub-folder is a class. Its name, as
    `common.names.printable` writes it, is also a label. A table of attributes (`data.attributes`) gives more labels,
    and factors. Without class sub-folders, the label smile or smiling gives the classes. Files that cannot be decoded
    are left out with a warning.

    Raises:
        UserError: the folder does not exist, is a file, or holds no images; more than 5 % of the images cannot be
            decoded; the cache has no room for them; the table cannot be read or does not fit the images.
    """
    paths = find_images(folder)
    names = names_in(folder, paths)
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

    decoded = _decoded(folder, paths, names, size, channels, cache)
    _tell(folder, paths, decoded)
    kept = decoded.kept
    is_class = class_of[:, None] == np.array(class_names, dtype=class_of.dtype)[None, :]
    classes = class_of if class_names else _smile_classes(attributes)
    return Dataset(
        images=decoded.images,
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


def _decoded(folder: Path, paths: Sequence[Path], names: Sequence[str], size: int, channels: int, cache: Path) -> Found:
    """The images of these files, from the cache or decoded."""
    shape = (size, size, channels)
    name = re.sub(r"[^A-Za-z0-9]+", "-", folder.resolve().name).strip("-")[:MOST_OF_NAME]
    return cached_images(
        cache / f"{name}-{'x'.join(map(str, shape))}-{_key(folder, shape)}",
        Request(
            source=printable(folder.resolve()),
            image_shape=shape,
            names=names,
            stamps=[_stamp(path) for path in paths],
            arguments=paths,
            make=functools.partial(decoding.decode_or_reason, size=size, channels=channels),
            what="decoding {} images",
        ),
    )


def _stamp(path: Path) -> Stamp:
    """The size and the times of a file; None if it is gone."""
    try:
        status = path.stat()
        # A file that replaces another one may have its size and its time, but not the time of the change.
        return status.st_size, status.st_mtime_ns, status.st_ctime_ns
    except OSError:
        return None


def _key(folder: Path, shape: tuple[int, ...]) -> str:
    """A hash of all that determines the pixels but the files: the folder, the shape, the code and Pillow's formats."""
    means = f"{inspect.getsource(decoding)} {PIL.__version__} {sorted(image_formats().names)}"
    return hashlib.sha256(f"{shape} {means} ".encode() + os.fsencode(folder.resolve())).hexdigest()[:12]


def _tell(folder: Path, paths: Sequence[Path], decoded: Found) -> None:
    """Warn about the images that could not be decoded, and about those that may not look as they should.

    Raises:
        UserError: too many could not be decoded.
    """
    damaged = [(paths[place], reason) for place, reason in sorted(decoded.reasons.items())]
    if len(damaged) > MOST_DAMAGED * len(paths):
        example, reason = damaged[0]
        raise UserError(
            f"{len(damaged)} of {len(paths)} images in {printable(folder)} cannot be decoded, such as "
            f"{printable(example.name)} ({printable(reason)}); remove or repair them"
        )
    for path, reason in damaged:
        log.warning("left out %s: %s", printable(path), printable(reason))
    images_with: dict[str, list[Path]] = {}
    for place, warnings in zip(decoded.kept.tolist(), decoded.warnings, strict=True):
        for warning in warnings:
            images_with.setdefault(warning, []).append(paths[place])
    for warning, those in images_with.items():
        log.warning("%d images, such as %s, %s", len(those), printable(those[0]), warning)
