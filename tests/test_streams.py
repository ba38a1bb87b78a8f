"""Scripts whose output is closed, is full, has lost its reader, or cannot encode the printed text."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from common import command_line
from common.command_line import Remedies
from tests.support import ROOT

COMMANDS = {
    "train.py": ["train.py", "--help"],
    "evaluate.py": ["evaluate.py", "--help"],
    "pgm_tfp": ["-m", "pgm_tfp", "joint"],
}
REMEDIES = Remedies(memory="m", space="s", refusal="r")


def in_shell(command, redirection, **environment):
    """Run the command in bash; the result has the command's own exit status."""
    line = " ".join([sys.executable, *command]) + f" {redirection}; exit ${{PIPESTATUS[0]}}"
    return subprocess.run(
        ["bash", "-c", line],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("redirection", ["| head -c 1", "2>&-", ">&-", "<&- >&- 2>&-"])
def test_a_closed_output_or_an_output_without_a_reader_is_no_error(name, redirection):
    ended = in_shell(COMMANDS[name], redirection)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""


def test_a_closed_error_stream_hides_no_failure():
    assert in_shell(["train.py", "--epochs", "0"], "2>&-").returncode == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is a device of Linux")
def test_a_full_output_is_an_error_of_one_line():
    ended = in_shell(COMMANDS["pgm_tfp"], "> /dev/full")
    assert ended.returncode == 2
    assert "No space left on device; make room there" in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("environment", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}])
def test_a_name_that_the_output_cannot_encode_is_printed_with_escapes(environment):
    ended = in_shell(["train.py", "--data", "'Gesichter für alle'"], "", **environment)
    assert ended.returncode == 2
    assert "no folder Gesichter f" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_warning_turned_into_an_error_is_one_line(capsys):
    def script():
        raise DeprecationWarning("old\nways")

    assert command_line.run_script("train.py", script, REMEDIES) == 2
    assert capsys.readouterr().err == (
        "train.py: DeprecationWarning: old; do not turn warnings into errors (-W, PYTHONWARNINGS)\n"
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_warnings_of_libraries_turned_into_errors_print_no_traceback(name):
    ended = in_shell(COMMANDS[name], "", PYTHONWARNINGS="error")
    assert "Traceback" not in ended.stderr
    assert ended.returncode in (0, 2)


def test_the_home_of_an_unknown_user_is_an_error_of_one_line():
    ended = in_shell(["train.py", "--data", "'~nosuchuser/x'"], "")
    assert ended.returncode == 2
    assert ended.stderr.startswith("train.py: ~nosuchuser/x: no user is called nosuchuser; write ./~nosuchuser")
