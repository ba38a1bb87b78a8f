"""The package as a library changes nothing in the process; the command line answers without TensorFlow where it can."""

import os

import pytest

from tests.support import ROOT, run_python

UNCHANGED = """
import os, sys
def refuse(*arguments):
    raise AssertionError("a stream was redirected")
os.dup2 = refuse
environment, streams = dict(os.environ), (sys.stdout, sys.stderr)
import pgm_tfp
from pgm_tfp import answers, catalogue, exact, independence, learning, markov
exact.marginal(catalogue.server_room(), "A", {"M": True})
assert dict(os.environ) == environment, set(os.environ) ^ set(environment)
assert "tensorflow" not in sys.modules
import pgm_tfp.comparisons, pgm_tfp.learning_report
assert "tensorflow" in sys.modules
assert "TF_CPP_MIN_LOG_LEVEL" not in os.environ
assert (sys.stdout, sys.stderr) == streams
"""

ANSWERED = """
import sys
from pgm_tfp.__main__ import main
print(main(sys.argv[1:]), "tensorflow" in sys.modules)
"""


def test_importing_the_package_changes_no_environment_variable_and_no_stream():
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    finished = run_python("-c", UNCHANGED, cwd=ROOT, env=environment)
    assert finished.returncode == 0, finished.stderr


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--help"], 0),
        (["learn", "--help"], 0),
        (["variational", "--seed", "-1"], 2),
        (["variational", "--sed", "1"], 2),
        (["query", "A | M=1", "--network", "studnt"], 2),
        (["query", "A | M=1", "--out", "{folder}"], 0),
    ],
)
def test_help_wrong_flags_and_exact_queries_do_not_load_tensorflow(arguments, status, tmp_path):
    given = [argument.format(folder=tmp_path) for argument in arguments]
    finished = run_python("-c", ANSWERED, *given, cwd=ROOT)
    assert finished.stdout.splitlines()[-1] == f"{status} False", finished.stderr


def test_the_command_that_loads_tensorflow_prints_nothing_of_its_start(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    assert run_python("-m", "pgm_tfp", "simulate", str(tmp_path / "log.csv"), cwd=ROOT).returncode == 0
    finished = run_python(
        "-m", "pgm_tfp", "learn", str(tmp_path / "log.csv"), "--out", str(tmp_path), cwd=ROOT, env=environment
    )
    assert finished.returncode == 0
    assert finished.stderr == ""
