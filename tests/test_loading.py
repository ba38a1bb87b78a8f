"""The scripts load a heavy package only when they need it."""

import os

import pytest

from tests.support import ROOT, run_python

HEAVY = ("tensorflow", "tensorflow_probability", "keras")
REPORT = ("markdown", "math_core", "jinja2", "markupsafe")


def child(code, *arguments, **options):
    """A Python program of these lines, with the project's modules."""
    return run_python("-c", "\n".join(code), *arguments, env={**os.environ, "PYTHONPATH": str(ROOT)}, **options)


@pytest.mark.parametrize(
    ("module", "arguments", "status"),
    [
        ("train", ["--help"], 0),
        ("train", ["--epohcs", "3"], 2),
        ("train", ["--beta", "2"], 2),
        ("train", ["--image-size", "40"], 2),
        ("train", ["--data", "nowhere"], 2),
        ("train", ["--resume"], 2),
        ("evaluate", ["--help"], 0),
        ("evaluate", ["--interpolat"], 2),
        ("evaluate", ["--run", "nowhere"], 2),
        ("evaluate", ["--pdf"], 2),
        ("pgm_tfp.__main__", ["--help"], 0),
        ("pgm_tfp.__main__", ["learn", "--help"], 0),
        ("pgm_tfp.__main__", ["variational", "--seed", "-1"], 2),
        ("pgm_tfp.__main__", ["query", "A | M=maybe"], 2),
        ("pgm_tfp.__main__", ["query", "A | M=1"], 0),
    ],
)
def test_help_wrong_flags_and_exact_answers_load_no_tensorflow(module, arguments, status, tmp_path):
    code = [
        "import sys",
        f"from {module} import main" if "." not in module else f"import {module} as program; main = program.main",
        "try: status = main(sys.argv[1:])",
        "except SystemExit as end: status = end.code",
        f"print([name for name in {HEAVY} if name in sys.modules], status or 0)",
    ]
    ended = child(code, *arguments, cwd=tmp_path)
    assert ended.stdout.splitlines()[-1] == f"[] {status}", ended.stderr


def without_the_packages_of_the_report(*arguments):
    code = ["import sys", f"for name in {REPORT}: sys.modules[name] = None", "import evaluate"]
    return child([*code, "sys.exit(evaluate.main(sys.argv[1:]))"], *arguments)


def test_figures_and_numbers_need_none_of_the_packages_of_the_report(tiny_run):
    ended = without_the_packages_of_the_report("--run", str(tiny_run), "--sample")
    assert ended.returncode == 0, ended.stderr


def test_a_report_without_its_packages_ends_in_one_line_that_names_them(tiny_run):
    ended = without_the_packages_of_the_report("--run", str(tiny_run), "--report")
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith("evaluate.py --report: markdown, math_core, jinja2, markupsafe cannot be found")
