"""What `evaluate.py` loads: TensorFlow after the flags are checked, the report's packages only for the report."""

import json
import os
import shutil

import pytest

from tests.support import ROOT, run_python

FROM_ROOT = {**os.environ, "PYTHONPATH": str(ROOT)}
WITHOUT_THE_REPORTS_PACKAGES = """
import sys
for name in ("markdown", "math_core", "jinja2", "markupsafe"):
    sys.modules[name] = None  # an import of the module raises ImportError
import evaluate
from vae_keras.evaluation import disentanglement
disentanglement.FACES = 300  # all scores on all faces would take minutes
disentanglement.SCORES = {name: disentanglement.SCORES[name] for name in ("mutual_information_gap", "modularity")}
sys.exit(evaluate.main(sys.argv[1:]))
"""
LOADED = """
import sys, evaluate
try: status = evaluate.main(sys.argv[1:])
except SystemExit as end: status = end.code
print([name for name in ("tensorflow", "keras", "jinja2", "markdown") if name in sys.modules], status)
"""


@pytest.fixture
def run(tiny_run, tmp_path):
    ignored = shutil.ignore_patterns("figures", "metrics.json", "checkpoints", "logs")
    return shutil.copytree(tiny_run, tmp_path / "runs" / "a", ignore=ignored)


def loaded_and_status(folder, *arguments):
    ended = run_python("-c", LOADED, *arguments, cwd=folder, env=FROM_ROOT)
    return ended.stdout.splitlines()[-1], ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--metrcis"], ["--pdf"], ["--run", "absent"], ["--interpolate", "zigzag"], ["--data", "absent"]],
)
def test_help_and_wrong_flags_are_answered_without_tensorflow(run, tmp_path, arguments):
    last, errors = loaded_and_status(tmp_path, *arguments)
    assert last == f"[] {0 if arguments == ['--help'] else 2}", errors


def test_a_damaged_record_is_answered_without_tensorflow(run, tmp_path):
    (run / "metrics.json").write_text("{")
    last, errors = loaded_and_status(tmp_path, "--sample")
    assert last == "[] 2", errors
    assert "metrics.json is damaged" in errors


def test_numbers_need_no_package_of_the_report(run, tmp_path):
    ended = run_python("-c", WITHOUT_THE_REPORTS_PACKAGES, "--metrics", cwd=tmp_path, env=FROM_ROOT)
    assert ended.returncode == 0, ended.stderr
    assert "test" in json.loads((run / "metrics.json").read_text())


def test_a_report_without_its_packages_ends_in_a_line_that_says_what_to_install(run, tmp_path):
    ended = run_python("-c", WITHOUT_THE_REPORTS_PACKAGES, "--report", cwd=tmp_path, env=FROM_ROOT)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("evaluate.py --report: markdown, math_core, jinja2, markupsafe cannot be found")
    assert "pip install -r requirements.txt" in line
    assert not (run / "metrics.json").exists()
