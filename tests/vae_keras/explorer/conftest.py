"""The explorer of a small run."""

import pytest

import evaluate
from tests.vae_keras.explorer.small_explorer import small_factor_space
from vae_keras import feature_spaces
from vae_keras.config_file import load_config
from vae_keras.explorer.faces import Explorer
from vae_keras.run_folder import Run


def explorer_of(folder) -> Explorer:
    return Explorer(evaluate.open_context(Run(folder), load_config(Run(folder).config)))


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """The folder of the small network that reads factors: the functions and the page read them with the same one."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def explorer(evaluated_run, cache):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feature_spaces, "HELD_OUT", 50)
        patch.setattr(feature_spaces, "factor_space", small_factor_space(cache))
        made = explorer_of(evaluated_run)
        made.prepare()
    return made
