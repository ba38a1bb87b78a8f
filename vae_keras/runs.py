"""A run's folder: what lies where, how it comes to be, and how it is read back.

A run is complete from the moment its folder exists: the folder is filled under
another name and renamed. After each epoch three things are written, in this order:
the row in `history.csv`, `model.keras` if the epoch is the best so far, and the checkpoint.
A process that dies between two of them leaves a checkpoint that is behind the
others; resuming starts from the checkpoint, drops the rows after it and
computes the same epoch again, to the bit.
"""

import csv
import io
import json
import re
import tempfile
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from data.dataset import Dataset
from data.errors import UserError
from data.files import write_text
from data.sources import open_dataset
from data.split import Split, split_indices
from vae_keras.config import Config, load_config
from vae_keras.model import TERMS, VAE

RUNS = Path("runs")
CHECKPOINT = re.compile(r"epoch-(\d+)\.keras")
HISTORY_COLUMNS = ("epoch", *TERMS, *(f"val_{term}" for term in TERMS))
Row = dict[str, float]


@dataclass(frozen=True)
class Run:
    """The paths of one run."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "config.json"

    @property
    def split(self) -> Path:
        return self.folder / "split.json"

    @property
    def model(self) -> Path:
        return self.folder / "model.keras"

    @property
    def history(self) -> Path:
        return self.folder / "history.csv"

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def figures(self) -> Path:
        return self.folder / "figures"

    @property
    def metrics(self) -> Path:
        return self.folder / "metrics.json"

    def checkpoint(self, epoch: int) -> Path:
        """The checkpoint written after `epoch` epochs."""
        return self.checkpoints / f"epoch-{epoch:04d}.keras"


class RunData(NamedTuple):
    """A run's images and how they are divided."""

    dataset: Dataset
    split: Split


def new_folder() -> Path:
    """A folder under runs/ named by the time, for a run that was given no name."""
    return RUNS / datetime.now().strftime("%Y-%m-%d_%H-%M-%S")


def check_free(folder: Path) -> None:
    """Refuse a folder that already holds something.

    Raises:
        UserError: it is a run, or anything else but an empty folder.
    """
    if Run(folder).config.exists():
        raise UserError(f"{folder} is a run already; pass --resume to go on with it, or another --run")
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UserError(f"{folder} exists and is not a run; pass another --run")


def create_run(folder: Path, config: Config, data: RunData) -> Run:
    """A new run folder with its settings and its split, there as a whole or not at all."""
    check_free(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        prepared = Run(Path(scratch) / "run")
        config.save(prepared.config)
        write_split(prepared, data)
        if folder.exists():
            folder.rmdir()  # empty; Windows renames onto nothing else
        prepared.folder.rename(folder)
    return Run(folder)


def open_run(folder: Path) -> Run:
    """The run in a folder.

    Raises:
        UserError: there is no such folder, or it is not a run.
    """
    run = Run(folder)
    if not folder.exists():
        raise UserError(f"no run {folder}{_nearest_run(folder)}; train one with python train.py --run {folder}")
    if not run.config.is_file():
        raise UserError(f"{folder} is not a run (it has no config.json); pass a folder that train.py wrote")
    return run


def _nearest_run(folder: Path) -> str:
    siblings = [path.parent.name for path in folder.parent.glob("*/config.json")]
    close = get_close_matches(folder.name, siblings, n=1)
    return f" (did you mean {folder.parent / close[0]}?)" if close else ""


def latest_run(root: Path = RUNS) -> Run:
    """The run that was trained last.

    Raises:
        UserError: there is none.
    """
    runs = [Run(path.parent) for path in root.glob("*/config.json")]
    if not runs:
        raise UserError(f"no runs in {root}; train one with python train.py, or pass --run")
    return max(runs, key=_last_touched)


def _last_touched(run: Run) -> float:
    return max(path.stat().st_mtime for path in (run.config, run.history) if path.exists())


def open_data(config: Config) -> RunData:
    """The images that the settings name, divided as the settings say."""
    dataset = open_dataset(config.data, config.image_size, config.channels)
    return RunData(dataset, split_indices(len(dataset.images), dataset.classes, config.validation, config.seed))


def write_split(run: Run, data: RunData) -> None:
    """Write split.json: the names of each part's images, and the fingerprint of all."""
    names = np.array(data.dataset.names)
    parts = {part: names[indices].tolist() for part, indices in data.split._asdict().items()}
    write_text(run.split, json.dumps({"fingerprint": data.dataset.fingerprint(), **parts}, indent=1) + "\n")


def read_data(run: Run, source: str | None = None) -> RunData:
    """The run's images, divided as when it was made.

    Args:
        source: where the images are now, or other images: those are divided by the run's rule,
            and all of them are new to the model.

    Raises:
        UserError: the images are not the ones that the run was trained on.
    """
    config = load_config(run.config)
    saved = _read_split_file(run)
    dataset = open_dataset(source or config.data, config.image_size, config.channels)
    index = {name: place for place, name in enumerate(dataset.names)}
    known = [name for part in Split._fields for name in saved[part]]
    if set(known) == set(index):
        if saved["fingerprint"] != dataset.fingerprint():
            raise UserError(f"the images in {source or config.data} have changed since {run.folder} was trained")
        return RunData(dataset, Split(*(np.array([index[n] for n in saved[part]], int) for part in Split._fields)))
    if source is None:
        gone, new = len(set(known) - set(index)), len(set(index) - set(known))
        raise UserError(
            f"{config.data} has changed since {run.folder} was trained: {gone} images are gone, {new} are new; "
            "pass --data to evaluate on other images"
        )
    return RunData(dataset, split_indices(len(dataset.images), dataset.classes, config.validation, config.seed))


def _read_split_file(run: Run) -> dict:
    try:
        saved = json.loads(run.split.read_text(encoding="utf-8"))
        return {key: saved[key] for key in ("fingerprint", *Split._fields)}
    except (OSError, ValueError, KeyError, TypeError) as reason:
        raise UserError(
            f"{run.folder} is incomplete: split.json cannot be read ({reason}); train a new run"
        ) from reason


def write_history(run: Run, rows: list[Row]) -> None:
    """Write history.csv, one row for each epoch: floats in full, so that reading gives the same bits."""
    text = io.StringIO()
    columns = [name for name in HISTORY_COLUMNS if name in rows[0]]
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(run.history, text.getvalue())


def read_history(run: Run) -> list[Row]:
    """The rows of history.csv; none before the first epoch is done.

    Raises:
        UserError: the file is damaged.
    """
    if not run.history.exists():
        return []
    try:
        with run.history.open(encoding="utf-8", newline="") as file:
            return [
                {name: int(value) if name == "epoch" else float(value) for name, value in row.items()}
                for row in csv.DictReader(file, strict=True)
            ]
    except (ValueError, TypeError, csv.Error) as reason:
        raise UserError(f"{run.history} is damaged ({reason}); train the run again") from reason


def best_epoch(rows: list[Row]) -> int:
    """The epoch with the highest validation ELBO; without validation images, the last."""
    if "val_elbo" not in rows[-1]:
        return int(rows[-1]["epoch"])
    return int(max(rows, key=lambda row: row["val_elbo"])["epoch"])


def last_checkpoint(run: Run) -> int:
    """How many epochs the newest checkpoint has seen; 0 where there is none."""
    matches = (CHECKPOINT.fullmatch(path.name) for path in run.checkpoints.glob("*.keras"))
    return max((int(match[1]) for match in matches if match), default=0)


def load_model(path: Path) -> VAE:
    """A saved VAE with its optimiser.

    Raises:
        UserError: the file is not one.
    """
    try:
        model = keras.saving.load_model(path)
    except (OSError, ValueError, TypeError, KeyError) as reason:
        raise UserError(f"{path} cannot be loaded ({str(reason).splitlines()[0]}); train the run again") from reason
    if not isinstance(model, VAE):
        raise UserError(f"{path} holds a {type(model).__name__}, not a VAE; pass a run that train.py wrote")
    return model


def load_run(run_dir: str | Path, which: str = "best") -> VAE:
    """The trained VAE of a run.

    Args:
        which: "best", the epoch with the highest validation ELBO, or "last".

    Raises:
        UserError: no such run, no finished epoch in it, or a damaged file.
    """
    run = open_run(Path(run_dir))
    if which not in ("best", "last"):
        raise UserError(f"unknown epoch {which}; known: best, last")
    path = run.model if which == "best" else run.checkpoint(last_checkpoint(run))
    if not path.is_file():
        raise UserError(
            f"{run.folder} is incomplete: no epoch is finished; go on with python train.py --resume --run {run.folder}"
        )
    return load_model(path)
