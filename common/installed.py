"""Checks that the packages of a script are installed; uses the standard library alone, so that it can run first."""

import sys
from collections.abc import Sequence
from importlib.util import find_spec

OLDEST_PYTHON = (3, 11)
DOCUMENTS = ("markdown", "math_core", "jinja2", "markupsafe")  # only the report needs them
VAE_KERAS = (
    "tensorflow", "keras", "tensorboard", "numpy", "matplotlib", "PIL", "sklearn", "threadpoolctl", "joblib",
    "rich", "wrapt", "msgspec", "filelock",
)  # fmt: skip
EXPLORER = ("nicegui",)  # only evaluate.py --explore and python -m pgm_tfp explore need it
PGM_TFP = ("tensorflow", "tensorflow_probability", "numpy", "networkx", "igraph", "scipy", "matplotlib", "rich")


def require_packages(script: str, modules: Sequence[str] = VAE_KERAS, requirements: str = "requirements.txt") -> None:
    """End the script with one line and exit status 2 if Python is too old or a package is missing.

    Only scripts call this function, before their other imports.

    Args:
        script: the name that begins the line.
        modules: names of the packages as Python imports them.
        requirements: the file that installs them.
    """
    missing = [name for name in modules if find_spec(name) is None]
    if sys.version_info < OLDEST_PYTHON:
        reason = f"Python {sys.version_info[0]}.{sys.version_info[1]} is too old; use Python 3.11 or 3.12"
    elif missing:
        reason = (
            f"{', '.join(missing)} cannot be found by {sys.executable}; "
            f"run python -m pip install -r {requirements}, or activate the environment where you have run it"
        )
    else:
        return
    print(f"{script}: {reason}", file=sys.stderr)
    sys.exit(2)
