"""The package as a library changes nothing in the process. The command line loads TensorFlow without its messages."""

import os

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


def test_importing_the_package_changes_no_environment_variable_and_no_stream():
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    finished = run_python("-c", UNCHANGED, cwd=ROOT, env=environment)
    assert finished.returncode == 0, finished.stderr


def test_the_command_that_loads_tensorflow_prints_nothing_of_its_start(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    assert run_python("-m", "pgm_tfp", "simulate", str(tmp_path / "log.csv"), cwd=ROOT).returncode == 0
    finished = run_python(
        "-m", "pgm_tfp", "learn", str(tmp_path / "log.csv"), "--out", str(tmp_path), cwd=ROOT, env=environment
    )
    assert finished.returncode == 0
    assert finished.stderr == ""
