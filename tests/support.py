"""The scripts of the project as a user calls them, and settings small enough for tests."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from hypothesis import settings

settings.register_profile("short", max_examples=30, deadline=None)
settings.register_profile("long", max_examples=200, deadline=None)
ROOT = Path(__file__).resolve().parent.parent
TINY = ["--data", "faces:40", "--image-size", "32", "--batch-size", "16", "--latent-dim", "4"]


def script(name: str, *arguments: str, **options) -> subprocess.CompletedProcess:
    """Run a script of the project in a process of its own."""
    return run_python(str(ROOT / name), *arguments, **options)


def run_python(*arguments: str, **options) -> subprocess.CompletedProcess:
    """Run Python with these arguments in a process of its own."""
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=300, check=False, **options
    )


def examples(count: int, **options: Any) -> settings:
    """Hypothesis draws this many examples under `make test-long`, and otherwise a third of them, at least four."""
    if settings.get_current_profile_name() != "long":
        count = max(4, count // 3)
    return settings(max_examples=count, deadline=None, **options)
