"""A run's images: how they are divided, how that is kept, and whether they are still the same.

`split.json` holds the names of each part's images, and a digest of every image's pixels. The
digests tell which images changed since training, and which of other images the model has seen.
"""

import json
import logging
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from common.errors import UserError
from common.files import write_text
from common.names import printable
from data.dataset import Dataset
from data.sources import open_dataset
from data.split import Split, split_indices
from vae_keras.config import Config

log = logging.getLogger(__name__)

FEWEST_UNSEEN = 2


class RunData(NamedTuple):
    """Images and how they are divided.

    Attributes:
        fitted: whether the run's model was, or is to be, fitted on the part called train.
    """

    dataset: Dataset
    split: Split
    fitted: bool = True


def open_data(config: Config) -> RunData:
    """The images that the settings name, divided as the settings say."""
    dataset = open_dataset(config.data, config.image_size, config.channels)
    return RunData(dataset, _split(config, dataset))


def _split(config: Config, dataset: Dataset) -> Split:
    """The images divided as the settings say; identical ones, of which a line tells, in one part."""
    digests = dataset.digests()
    split = split_indices(len(digests), dataset.classes, config.validation, config.seed, digests)
    first: dict[str, str] = {}
    copies = {
        name: original
        for name, digest in zip(dataset.names, digests, strict=True)
        if (original := first.setdefault(digest, name)) != name
    }
    if copies:
        copy, original = next(iter(copies.items()))
        log.warning(
            "%d of %d images have the same pixels as another one (such as %s and %s); identical images are kept in one "
            "part of the split",
            len(copies),
            len(digests),
            printable(original),
            printable(copy),
        )
    return split


def write_split(path: Path, data: RunData) -> None:
    """Write split.json."""
    names = data.dataset.names
    parts: dict[str, Any] = {
        part: [names[index] for index in indices] for part, indices in data.split._asdict().items()
    }
    digests = dict(zip(data.dataset.names, data.dataset.digests(), strict=True))
    write_text(path, json.dumps({**parts, "digests": digests}, indent=1) + "\n")


def read_data(config: Config, split: Path) -> RunData:
    """The run's images, divided as when it was made; images that came later are left out.

    Raises:
        UserError: split.json is damaged, or the images are no longer the ones the run was trained on.
    """
    saved = _read_split(split)
    dataset = open_dataset(config.data, config.image_size, config.channels)
    before, now = saved["digests"], dict(zip(dataset.names, dataset.digests(), strict=True))
    gone, new = before.keys() - now.keys(), now.keys() - before.keys()
    changed = {name for name in before.keys() & now.keys() if before[name] != now[name]}
    if gone or changed:
        changes = {"gone": gone, "new": new, "changed": changed}
        what = ", ".join(
            f"{len(names)} {how} (such as {printable(min(names))})" for how, names in changes.items() if names
        )
        raise UserError(
            f"{printable(config.data)} is not what {split.parent} was trained on: of its images {what}; "
            "train a new run, or evaluate on other images with --data"
        )
    if new:
        log.warning(
            "left out %d images that came to %s after training, such as %s",
            len(new),
            printable(config.data),
            printable(min(new)),
        )
        dataset = dataset.take([index for index, name in enumerate(dataset.names) if name in before])
    parts = _saved_split(saved, dataset)
    seen = _digests_seen(saved)
    known = [name for name in saved["test"] if before[name] in seen]
    if known:
        log.warning(
            "%d of the %d test images, such as %s, have the same pixels as images that the model has seen in training; "
            "a new run would keep identical images in one part",
            len(known),
            len(parts.test),
            printable(known[0]),
        )
    return RunData(dataset, parts)


def read_other_data(config: Config, split: Path, source: str) -> RunData:
    """Other images, divided by the run's rule, of which test holds none that the model was fitted or chosen on.

    The run's own images at another place are divided as they were for training.

    Raises:
        UserError: split.json is damaged, or every test image has been seen.
    """
    saved = _read_split(split)
    dataset = open_dataset(source, config.image_size, config.channels)
    digests = dataset.digests()
    moved = saved["digests"] == dict(zip(dataset.names, digests, strict=True))
    parts = _saved_split(saved, dataset) if moved else _split(config, dataset)
    seen = _digests_seen(saved)
    unseen = np.array([index for index in parts.test if digests[index] not in seen], int)
    if len(unseen) < FEWEST_UNSEEN:
        raise UserError(
            f"{len(parts.test) - len(unseen)} of the {len(parts.test)} test images of {printable(source)} have been "
            "seen by the model in training; pass other images with --data"
        )
    fitted = {digests[index] for index in parts.train} == {saved["digests"][name] for name in saved["train"]}
    return RunData(dataset, parts._replace(test=unseen), fitted)


def _saved_split(saved: dict[str, Any], dataset: Dataset) -> Split:
    """The split in split.json as indices into the data set, which holds all of its images."""
    place = {name: index for index, name in enumerate(dataset.names)}
    return Split(*(np.array([place[name] for name in saved[part]], int) for part in Split._fields))


def _digests_seen(saved: dict[str, Any]) -> set[str]:
    """The digests of the images that the model was fitted or chosen on."""
    return {saved["digests"][name] for part in ("train", "validation") for name in saved[part]}


def _read_split(path: Path) -> dict[str, Any]:
    """The names of each part's images, and a digest by name.

    Raises:
        UserError: the file cannot be read, a name is in it twice, or train or test has none.
    """
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        parts = {part: [str(name) for name in saved[part]] for part in Split._fields}
        names = [name for part in parts.values() for name in part]
        if len(set(names)) < len(names):
            raise ValueError(f"{next(name for name in names if names.count(name) > 1)} is in it twice")
        if not parts["train"] or not parts["test"]:
            raise ValueError("train or test is empty")
        return {**parts, "digests": {name: saved["digests"][name] for name in names}}
    except (OSError, ValueError, KeyError, TypeError) as reason:
        message = f"{path} does not hold the split of a run ({reason}); train a new one"
        raise UserError(message) from reason
