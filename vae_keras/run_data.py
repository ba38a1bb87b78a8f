"""The images of a run: their split, how the split is saved, and whether the images are still the same.

`split.json` contains the names of the images of each part, and a digest of the pixels of every image. The digests show
which images changed since training. In another data set, they show which images were used in training.
"""

import json
import logging
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from common.errors import UserError
from common.files import read_json, write_text
from common.names import printable
from data.dataset import Dataset
from data.image_cache import CACHE
from data.sources import open_dataset
from data.split import Split, split_indices
from vae_keras.config import Config

log = logging.getLogger(__name__)

FEWEST_UNSEEN = 2


class RunData(NamedTuple):
    """The images and their split.

    Attributes:
        fitted: whether the model of the run is fitted on the part called train.
    """

    dataset: Dataset
    split: Split
    fitted: bool = True


def known_attributes(data: RunData) -> list[str]:
    """The labels that have a direction: train and test both have images with and without the label."""
    return [name for name in data.dataset.label_names if _has_both_sides(data, name)]


def _has_both_sides(data: RunData, name: str) -> bool:
    label = data.dataset.label(name)
    return all(0 < label[part].sum() < len(part) for part in (data.split.train, data.split.test))


def open_data(config: Config, cache: Path = CACHE) -> RunData:
    """The images that the settings name, split as the settings say."""
    dataset = open_dataset(config.data, config.image_size, config.channels, cache)
    return RunData(dataset, _split(config, dataset))


def _split(config: Config, dataset: Dataset) -> Split:
    """The split that the settings ask for. Identical images are in the same part; a warning names two of them."""
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
            "%d of %d images have the same pixels as another image (such as %s and %s); identical images are in the "
            "same part of the split",
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


def read_data(config: Config, split: Path, cache: Path = CACHE) -> RunData:
    """The images of the run, with the split that was saved. Images that were added later are left out.

    Raises:
        UserError: split.json is damaged, or images of the run are gone or changed.
    """
    saved = _read_split(split)
    dataset = open_dataset(config.data, config.image_size, config.channels, cache)
    before, now = saved["digests"], dict(zip(dataset.names, dataset.digests(), strict=True))
    gone, new = before.keys() - now.keys(), now.keys() - before.keys()
    changed = {name for name in before.keys() & now.keys() if before[name] != now[name]}
    if gone or changed:
        changes = {"gone": gone, "new": new, "changed": changed}
        what = ", ".join(
            f"{len(names)} {how} (such as {printable(min(names))})" for how, names in changes.items() if names
        )
        raise UserError(
            f"the images of {printable(config.data)} have changed since {split.parent} was trained: {what}; "
            "train a new run, or evaluate on other images with --data"
        )
    if new:
        log.warning(
            "left out %d images that were added to %s after training, such as %s",
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
            "%d of the %d test images, such as %s, have the same pixels as images that were used in training; "
            "a new run would put identical images into the same part",
            len(known),
            len(parts.test),
            printable(known[0]),
        )
    return RunData(dataset, parts)


def read_other_data(config: Config, split: Path, source: str, cache: Path = CACHE) -> RunData:
    """Other images, split by the rule of the run. Test contains no image that the run used for train or validation.

    If the source holds exactly the images of the run, under the same names, they have the saved split.

    Raises:
        UserError: split.json is damaged, or fewer than two test images are left.
    """
    saved = _read_split(split)
    dataset = open_dataset(source, config.image_size, config.channels, cache)
    digests = dataset.digests()
    moved = saved["digests"] == dict(zip(dataset.names, digests, strict=True))
    parts = _saved_split(saved, dataset) if moved else _split(config, dataset)
    seen = _digests_seen(saved)
    unseen = np.array([index for index in parts.test if digests[index] not in seen], int)
    if len(unseen) < FEWEST_UNSEEN:
        raise UserError(
            f"{len(parts.test) - len(unseen)} of the {len(parts.test)} test images of {printable(source)} were used in "
            "training; pass other images with --data"
        )
    fitted = {digests[index] for index in parts.train} == {saved["digests"][name] for name in saved["train"]}
    return RunData(dataset, parts._replace(test=unseen), fitted)


def _saved_split(saved: dict[str, Any], dataset: Dataset) -> Split:
    """The split in split.json as indices into the data set. The data set must contain all images of the split."""
    place = {name: index for index, name in enumerate(dataset.names)}
    return Split(*(np.array([place[name] for name in saved[part]], int) for part in Split._fields))


def _digests_seen(saved: dict[str, Any]) -> set[str]:
    """The digests of the train and validation images of the run."""
    return {saved["digests"][name] for part in ("train", "validation") for name in saved[part]}


def _read_split(path: Path) -> dict[str, Any]:
    """The names of the images of each part, and (under "digests") the digest of each image by name.

    Raises:
        UserError: the file cannot be read, a name occurs twice, or train or test is empty.
    """
    try:
        saved = read_json(path)
        parts = {part: [str(name) for name in saved[part]] for part in Split._fields}
        names = [name for part in parts.values() for name in part]
        if len(set(names)) < len(names):
            raise ValueError(f"{next(name for name in names if names.count(name) > 1)} occurs twice")
        if not parts["train"] or not parts["test"]:
            raise ValueError("train or test is empty")
        return {**parts, "digests": {name: saved["digests"][name] for name in names}}
    except (OSError, ValueError, KeyError, TypeError) as reason:
        message = f"{path} does not hold the split of a run ({reason}); train a new run"
        raise UserError(message) from reason
