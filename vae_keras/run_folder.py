"""The folder of a run: the paths of its files, how the folder is created, and how its history is read and written.

A new run writes its split first and its settings second. A folder is a run as soon as it contains the settings. After
each epoch, three files are written in this order: the row in `history.csv`, `model.keras` if the epoch is the best so
far, and the checkpoint. If the process ends between two of these, the checkpoint is one epoch behind the other files.
Resuming starts from the checkpoint, drops the later rows, and computes the same epoch again, to the bit.
"""

import csv
import hashlib
import io
import math
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path

import numpy as np
from filelock import SoftFileLock, Timeout

from common.errors import UserError
from common.files import UNFINISHED, write_text
from vae_keras.config import Config
from vae_keras.config_file import save_config
from vae_keras.run_data import RunData, write_split
from vae_keras.types import TERMS

RUNS = Path("runs")
LOCK = ".training.lock"
CHECKPOINT = re.compile(r"epoch-(\d+)\.keras")
UNVALIDATED_COLUMNS = ("epoch", *TERMS)
HISTORY_COLUMNS = (*UNVALIDATED_COLUMNS, *(f"val_{term}" for term in TERMS))
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

    @property
    def prior(self) -> Path:
        return self.folder / "prior.npz"

    @property
    def directions(self) -> Path:
        return self.folder / "directions.npz"

    def model_digest(self) -> str:
        """A digest of model.keras. A file that was fitted to the model names it, and is not used for another model."""
        return hashlib.sha256(self.model.read_bytes()).hexdigest()[:16]

    def checkpoint(self, epoch: int) -> Path:
        """The checkpoint written after `epoch` epochs."""
        return self.checkpoints / f"epoch-{epoch:04d}.keras"


@contextmanager
def saved_arrays(path: Path) -> Iterator[Mapping[str, np.ndarray]]:
    """The arrays in a .npz file of a run. What goes wrong in the block shows that the file is damaged.

    Raises:
        UserError: the file is damaged.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            yield arrays
    except (
        OSError, ValueError, KeyError, IndexError, TypeError, EOFError, zipfile.BadZipFile, np.linalg.LinAlgError,
    ) as reason:  # fmt: skip
        raise UserError(f"{path} is damaged ({reason}); remove it and evaluate again") from reason


def new_folder() -> Path:
    """A folder under runs/ for a run without a name. Its name is the current time."""
    return RUNS / datetime.now().strftime("%Y-%m-%d_%H-%M-%S")


def check_free(folder: Path) -> None:
    """Refuse a folder in which no new run can be created.

    Raises:
        UserError: the path is a run, a file, or a folder with other files.
    """
    if Run(folder).config.exists():
        raise UserError(f"{folder} is a run already; pass --resume to continue this run, or another --run")
    if folder.exists() and not (folder.is_dir() and all(_left_by_a_start(path) for path in folder.iterdir())):
        raise UserError(f"{folder} exists and is not a run; pass another --run")


def _left_by_a_start(path: Path) -> bool:
    """Whether this file may be left from a run whose process was killed before it wrote the settings."""
    return path.name in ("split.json", LOCK) or path.name.startswith(UNFINISHED)


@contextmanager
def trained_by_this_process(run: Run) -> Iterator[None]:
    """While the block runs, no other process can train this run. The lock of a process that was killed does not count.

    Raises:
        UserError: another process trains the run.
    """
    run.folder.mkdir(parents=True, exist_ok=True)
    lock = SoftFileLock(run.folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise UserError(
            f"process {lock.pid} trains {run.folder}; wait until it ends, or stop it; if there is no such process on "
            f"any machine, remove {run.folder / LOCK}"
        ) from None
    try:
        yield
    finally:
        lock.release()


def create_run(folder: Path, config: Config, data: RunData) -> Run:
    """A new run, whose folder contains the split and the settings.

    Raises:
        UserError: `check_free` refuses the folder.
    """
    check_free(folder)
    run = Run(folder)
    write_split(run.split, data)
    save_config(config, run.config)
    return run


def open_run(folder: Path) -> Run:
    """The run in a folder.

    Raises:
        UserError: the folder does not exist, or is not a run.
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
        UserError: there is no run.
    """
    runs = [Run(path.parent) for path in root.glob("*/config.json")]
    if not runs:
        raise UserError(f"no runs in {root}; train one with python train.py, or pass --run")
    return max(runs, key=_last_touched)


def _last_touched(run: Run) -> float:
    return max(path.stat().st_mtime for path in (run.config, run.history) if path.exists())


def write_history(run: Run, rows: list[Row]) -> None:
    """Write history.csv with one row for each epoch. All digits are written, so that reading gives the same bits."""
    text = io.StringIO()
    columns = [name for name in HISTORY_COLUMNS if name in rows[0]]
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(run.history, text.getvalue())


def read_history(run: Run) -> list[Row]:
    """The rows of history.csv, or an empty list if no epoch is finished.

    Raises:
        UserError: the file is damaged.
    """
    if not run.history.exists():
        return []
    try:
        with run.history.open(encoding="utf-8", newline="") as file:
            rows = [
                {name: int(value) if name == "epoch" else float(value) for name, value in row.items()}
                for row in csv.DictReader(file, strict=True)
            ]
        if [row["epoch"] for row in rows] != list(range(1, len(rows) + 1)):
            raise ValueError("epochs are missing")
        if any(set(row) not in (set(HISTORY_COLUMNS), set(UNVALIDATED_COLUMNS)) for row in rows):
            raise ValueError("columns are missing")
        if not all(math.isfinite(value) for row in rows for value in row.values()):
            raise ValueError("a number is not finite")
        return rows
    except (ValueError, TypeError, KeyError, csv.Error) as reason:
        raise UserError(f"{run.history} is damaged ({reason}); train the run again") from reason


def best_epoch(rows: list[Row]) -> int:
    """The epoch with the highest validation ELBO, or the last epoch if there are no validation images."""
    if "val_elbo" not in rows[-1]:
        return int(rows[-1]["epoch"])
    return int(max(rows, key=lambda row: row["val_elbo"])["epoch"])


def last_checkpoint(run: Run) -> int:
    """The number of finished epochs in the newest checkpoint, or 0 if there is no checkpoint."""
    matches = (CHECKPOINT.fullmatch(path.name) for path in run.checkpoints.glob("*.keras"))
    return max((int(match[1]) for match in matches if match), default=0)
