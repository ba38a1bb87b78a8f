"""What tests share: a tiny run, trained once for all workers; small evaluations; few examples of each property."""

import functools
import logging
import os
import pickle
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if "PYTEST_XDIST_WORKER" in os.environ:  # a worker for each core: more threads would only wait for each other
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, "1")

import pytest
from filelock import FileLock

import evaluate
import train
from common.command_line import LinesToStandardError
from data import image_cache
from tests.support import TINY, settings
from vae_keras.feature_spaces import factor_space

settings.load_profile("short")  # --hypothesis-profile=long: make test-long


def pytest_terminal_summary(terminalreporter):
    """Say last how many tests were left out, why, and what to do: it is easily missed further up."""
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: ") for report in terminalreporter.stats.get("skipped", [])
    )
    for reason, times in reasons.items():
        terminalreporter.write_line(f"{times} tests were left out: {reason}", yellow=True)


def pytest_sessionfinish(session):
    """Remove the caches of folders that tests have made."""
    if hasattr(session.config, "workerinput"):  # only the last process does, after all workers
        return
    for index in image_cache.CACHE.glob(f"*/{image_cache.INDEX}"):
        with index.open(encoding="utf-8") as file:
            of_a_test = f"{gettempdir()}/" in file.readline()
        if of_a_test:
            shutil.rmtree(index.parent, ignore_errors=True)


@contextmanager
def small_evaluations() -> Iterator[None]:
    """Evaluations inside a test take seconds: few faces, quick scores, and figures and animations of few pixels.

    `tests/vae_keras/test_disentanglement.py` has all scores; scripts in a process of their own have everything.
    """
    feature_spaces = import_module("vae_keras.feature_spaces")
    disentanglement, interpolation, saving, traversal = (
        import_module(f"vae_keras.evaluation.{name}")
        for name in ("disentanglement", "interpolation", "saving", "traversal")
    )
    quick = ("mutual_information_gap", "modularity")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(disentanglement, "FACES", 300)
        patch.setattr(disentanglement, "SCORES", {name: disentanglement.SCORES[name] for name in quick})
        patch.setattr(saving, "DOTS_PER_INCH", 72)
        patch.setattr(saving, "ANIMATION_DOTS_PER_INCH", 72)
        patch.setattr(interpolation, "FRAMES", 4)
        patch.setattr(traversal, "FRAMES", 4)
        patch.setattr(import_module("vae_keras.report.embed"), "DOTS_PER_INCH", 72)
        patch.setattr(feature_spaces, "factor_space", functools.cache(small_factor_space))
        patch.setattr(import_module("vae_keras.evaluation.context"), "fit_prior", small_fit)
        patch.setattr(feature_spaces, "label_space", functools.partial(feature_spaces.label_space, epochs=1))
        patch.setattr(evaluate, "answers_of_part_1", remembered(evaluate.answers_of_part_1))
        yield


@pytest.fixture(scope="session", autouse=True)
def evaluations_are_small():
    with small_evaluations():
        yield


def small_fit(*arguments: Any) -> Any:
    """A prior that is fitted to few samples, with few components."""
    prior_fitting = import_module("vae_keras.prior_fitting")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prior_fitting, "MOST_SAMPLES", 500)
        patch.setattr(prior_fitting, "SIZES", (1, 2))
        return prior_fitting.fit_prior(*arguments)


def small_factor_space(channels: int, cache: Path | None = None) -> Any:
    """The feature space of a network that has seen few faces."""
    feature_spaces = import_module("vae_keras.feature_spaces")
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.setattr(feature_spaces, "HELD_OUT", 50)
        return factor_space(channels, count=64, epochs=1, cache=Path(folder))


def remembered(answers: Callable[[int], Any]) -> Callable[[int], Any]:
    """The same function; a second call with the same seed gives a copy of the first result."""

    @functools.cache
    def packed(seed: int) -> bytes:
        return pickle.dumps(answers(seed))

    @functools.wraps(answers)
    def unpacked(seed: int) -> Any:
        return pickle.loads(packed(seed))  # noqa: S301 (made above)

    return unpacked


@pytest.fixture(autouse=True)
def scripts_leave_no_handler():
    """A script that ran inside a test logs to that test's standard error, which is closed afterwards."""
    yield
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if isinstance(handler, LinesToStandardError):
            root.removeHandler(handler)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory, worker_id) -> Callable[[str, Callable[[Path], None]], Path]:
    """A function that gives a folder of that name; the first worker that asks for it fills it, the others wait."""
    shared = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        shared = shared.parent

    def folder_of(name: str, fill: Callable[[Path], None]) -> Path:
        folder, unfinished = shared / "made_once" / name, shared / "made_once" / "unfinished" / name
        folder.parent.mkdir(exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if not folder.exists():
                shutil.rmtree(unfinished, ignore_errors=True)
                fill(unfinished)
                unfinished.rename(folder)
        return folder

    return folder_of


@pytest.fixture(scope="session")
def tiny_run(made_once) -> Path:
    """A finished run of three epochs on forty small rendered faces. Tests copy it before they change it."""

    def train_it(folder: Path) -> None:
        assert train.main([*TINY, "--epochs", "3", "--run", str(folder)]) == 0

    return made_once("tiny", train_it)


@pytest.fixture(scope="session")
def evaluated_run(made_once, tiny_run) -> Path:
    """A copy of that run after `evaluate.py` without a choice."""

    def evaluate_it(folder: Path) -> None:
        shutil.copytree(tiny_run, folder)
        assert evaluate.main(["--run", str(folder)]) == 0

    return made_once("evaluated", evaluate_it)
