"""What tests share: a tiny run, trained once."""

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pytest

import evaluate
import train
from tests.support import TINY


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
