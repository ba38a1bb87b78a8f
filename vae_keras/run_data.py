"""A run's images: how they are divided, how that is kept, and whether they are still the same.

`split.json` holds the names of each part's images, and a digest of every image's pixels. The
digests tell which images changed since training, and which of other images the model has seen.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from data.dataset import Dataset
from data.errors import UserError
from data.files import write_text
from data.pipelines import training_batches
from data.sources import open_dataset
from data.split import Split, split_indices
from vae_keras.config import Config

FEWEST_UNSEEN = 2
EPOCHS_SHOWN, MOST_SHOWN, BATCH = 4, 10_000, 256


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
    return RunData(dataset, split_indices(len(dataset.images), dataset.classes, config.validation, config.seed))


def shown_in_training(config: Config, data: RunData) -> np.ndarray:
    """Train images as training shows them, pixels in [0, 1], (n, height, width, channels), 10,000 at most.

    Where training mirrors or moves them, each is there several times.
    """
    epochs = EPOCHS_SHOWN if config.flip or config.shift else 1
    chosen = np.random.default_rng(config.seed).permutation(data.split.train)[: MOST_SHOWN // epochs]
    batches = training_batches(
        data.dataset.images[np.sort(chosen)], BATCH, config.seed, epochs, flip=config.flip, shift=config.shift
    )
    return np.concatenate([batch.numpy() for batch in batches])


def write_split(path: Path, data: RunData) -> None:
    """Write split.json."""
    names = np.array(data.dataset.names)
    parts: dict[str, Any] = {part: names[indices].tolist() for part, indices in data.split._asdict().items()}
    digests = dict(zip(data.dataset.names, data.dataset.digests(), strict=True))
    write_text(path, json.dumps({**parts, "digests": digests}, indent=1) + "\n")


def read_data(config: Config, split: Path) -> RunData:
    """The run's images, divided as when it was made.

    Raises:
        UserError: split.json is damaged, or the images are no longer the ones the run was trained on.
    """
    saved = _read_split(split)
    dataset = open_dataset(config.data, config.image_size, config.channels)
    before, now = saved["digests"], dict(zip(dataset.names, dataset.digests(), strict=True))
    if before != now:
        changes = {
            "gone": before.keys() - now.keys(),
            "new": now.keys() - before.keys(),
            "changed": {name for name in before.keys() & now.keys() if before[name] != now[name]},
        }
        what = ", ".join(f"{len(names)} {how} (such as {min(names)})" for how, names in changes.items() if names)
        raise UserError(
            f"{config.data} is not what {split.parent} was trained on: of its images {what}; "
            "train a new run, or evaluate on other images with --data"
        )
    place = {name: index for index, name in enumerate(dataset.names)}
    return RunData(dataset, Split(*(np.array([place[name] for name in saved[part]], int) for part in Split._fields)))


def read_other_data(config: Config, split: Path, source: str) -> RunData:
    """Other images, divided by the run's rule, of which test holds none that the model was fitted or chosen on.

    Raises:
        UserError: split.json is damaged, or every test image has been seen.
    """
    saved = _read_split(split)
    dataset = open_dataset(source, config.image_size, config.channels)
    parts = split_indices(len(dataset.images), dataset.classes, config.validation, config.seed)
    seen = {saved["digests"][name] for part in ("train", "validation") for name in saved[part]}
    digests = dataset.digests()
    unseen = np.array([index for index in parts.test if digests[index] not in seen], int)
    if len(unseen) < FEWEST_UNSEEN:
        raise UserError(
            f"{len(parts.test) - len(unseen)} of the {len(parts.test)} test images of {source} have been seen by the "
            "model in training; pass other images with --data"
        )
    fitted = {digests[index] for index in parts.train} == {saved["digests"][name] for name in saved["train"]}
    return RunData(dataset, parts._replace(test=unseen), fitted)


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
