"""What tests share: a tiny run, trained once."""

import logging
import os
from collections import Counter
from importlib import import_module
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pytest

import evaluate
import train
from tests.support import TINY


def pytest_terminal_summary(terminalreporter):
    """Say last how many tests were left out, why, and what to do: it is easily missed further up."""
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: ") for report in terminalreporter.stats.get("skipped", [])
    )
    for reason, times in reasons.items():
        terminalreporter.write_line(f"{times} tests were left out: {reason}", yellow=True)


@pytest.fixture(scope="session", autouse=True)
def few_faces_to_score():
    """Disentanglement on few faces and with quick scores alone; `tests/vae_keras/test_disentanglement.py` has all."""
    disentanglement = import_module("vae_keras.evaluation.disentanglement")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(disentanglement, "FACES", 300)
        quick = ("mutual_information_gap", "modularity")
        patch.setattr(disentanglement, "SCORES", {name: disentanglement.SCORES[name] for name in quick})
        yield


@pytest.fixture(autouse=True)
def scripts_leave_no_handler():
    """A script that ran inside a test logs to that test's standard error, which is closed afterwards."""
    yield
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if type(handler) is logging.StreamHandler:
            root.removeHandler(handler)


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory) -> Path:
    """A finished run of three epochs on forty small rendered faces."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    assert train.main([*TINY, "--epochs", "3", "--run", str(folder)]) == 0
    return folder


@pytest.fixture(scope="session")
def evaluated_run(tiny_run) -> Path:
    """The same run after `evaluate.py` without a choice."""
    assert evaluate.main(["--run", str(tiny_run)]) == 0
    return tiny_run
