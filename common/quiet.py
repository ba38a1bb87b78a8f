"""Keeps TensorFlow's start-up messages out of standard error.

TensorFlow's C++ code writes several lines about oneDNN and missing GPUs to standard error while Python imports it.
A user would not find the one line of an error among them.
"""

import importlib
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

# Warnings that the libraries cause in themselves: message, category, and the module that the warning points to.
FROM_LIBRARIES = (
    ("__array__ implementation doesn't accept a copy keyword", DeprecationWarning, r"keras\.src\."),
    ("distutils Version classes are deprecated", DeprecationWarning, r"tensorflow_probability\."),
)


def quiet_tensorflow() -> None:
    """Hide TensorFlow's log and the libraries' warnings about themselves, for the rest of the process.

    Only scripts and `run_script` call this function, before TensorFlow is imported. TensorFlow still raises its errors.
    A user who has set TF_CPP_MIN_LOG_LEVEL keeps that level.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for message, category, module in FROM_LIBRARIES:
        warnings.filterwarnings("ignore", message, category, module)


def import_quietly(*names: str) -> list[ModuleType]:
    """Import modules that load TensorFlow, without the messages of the import.

    The messages are shown if the import fails. Nothing of the process is changed after the call.
    """
    with standard_error_set_aside():
        return [importlib.import_module(name) for name in names]


@contextmanager
def standard_error_set_aside() -> Iterator[None]:
    """Collect what the process writes to standard error; write it out only if the block raises an error."""
    try:
        original = os.dup(2)
    except OSError:  # the process has no standard error
        yield
        return
    if sys.stderr:
        sys.stderr.flush()
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        try:
            yield
        except BaseException:
            aside.seek(0)
            os.write(original, aside.read())
            raise
        finally:
            os.dup2(original, 2)
            os.close(original)
