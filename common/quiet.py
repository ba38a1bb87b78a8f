"""TensorFlow without its start-up chatter.

Its C++ side writes a dozen lines about oneDNN and absent GPUs to standard error before any Python can ask it not to.
They would drown the one line that an error is worth, so that stream is set aside while it loads, and shown if
loading fails.
"""

import importlib
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

# Warnings that libraries cause themselves, by message, category and the module that is warned about.
OF_LIBRARIES = (
    ("__array__ implementation doesn't accept a copy keyword", DeprecationWarning, r"keras\.src\."),
    ("distutils Version classes are deprecated", DeprecationWarning, r"tensorflow_probability\."),
)


def import_quietly(*names: str) -> list[ModuleType]:
    """Import modules that load TensorFlow."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # after the start, too: what matters is raised
    for message, category, module in OF_LIBRARIES:
        warnings.filterwarnings("ignore", message, category, module)
    with _standard_error_set_aside():
        return [importlib.import_module(name) for name in names]


@contextmanager
def _standard_error_set_aside() -> Iterator[None]:
    try:
        original = os.dup(2)
    except OSError:  # there is none, so nothing can drown in it
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
