"""What `make demo` leaves, made once for all pages."""

import re
import shlex
from pathlib import Path

import pytest

import evaluate
import train
from tests.docs.small_settings import small
from tests.support import ROOT

DEMO = re.search(r"^DEMO_SETTINGS := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[1]


@pytest.fixture(scope="session")
def demo(made_once) -> Path:
    """What `make demo` leaves, after one epoch on forty faces."""

    def make(folder):
        assert train.main([*small(shlex.split(DEMO)), "--run", str(folder)]) == 0
        assert evaluate.main(["--run", str(folder)]) == 0

    return made_once("demo", make)
