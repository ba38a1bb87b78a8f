"""The explorer of a small run."""

import pytest

import evaluate
from vae_keras.config_file import load_config
from vae_keras.explorer.faces import Explorer
from vae_keras.run_folder import Run


def explorer_of(folder) -> Explorer:
    return Explorer(evaluate.open_context(Run(folder), load_config(Run(folder).config)))


@pytest.fixture(scope="package")
def explorer(evaluated_run):
    return explorer_of(evaluated_run)
