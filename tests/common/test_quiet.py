"""TensorFlow's messages are hidden while it loads, and the process is the same afterwards."""

import os
import warnings

import pytest

from common.quiet import import_quietly, quiet_tensorflow

NOISY = 'import os\nos.write(2, b"message from C\\n")\n'


@pytest.fixture
def noisy_module(tmp_path, monkeypatch):
    """A module that writes to standard error below Python, as TensorFlow does."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(name, after=""):
        (tmp_path / f"{name}.py").write_text(NOISY + after)
        return name

    return write


def test_messages_of_an_import_are_hidden_and_nothing_is_changed(noisy_module, capfd):
    before = dict(os.environ), list(warnings.filters), os.fstat(2).st_ino
    (module,) = import_quietly(noisy_module("noisy_once"))
    assert module.__name__ == "noisy_once"
    assert (dict(os.environ), list(warnings.filters), os.fstat(2).st_ino) == before
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "afterwards\n"


def test_messages_of_an_import_that_fails_are_shown(noisy_module, capfd):
    with pytest.raises(ZeroDivisionError):
        import_quietly(noisy_module("noisy_and_wrong", "1 / 0\n"))
    assert capfd.readouterr().err == "message from C\n"


def test_a_log_level_that_the_user_has_set_is_kept(monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "1")
    with warnings.catch_warnings():
        quiet_tensorflow()
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "1"
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")
    with warnings.catch_warnings():
        quiet_tensorflow()
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "3"
