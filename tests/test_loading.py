"""The scripts load a heavy package only when they need it: TensorFlow after all checks, the report's for the report."""

import json
import os
import shutil

import pytest

from tests.support import ROOT, run_python

HEAVY = ("tensorflow", "tensorflow_probability", "keras")
REPORT = ("markdown", "math_core", "jinja2", "markupsafe")


def child(code, *arguments, **options):
    """A Python program of these lines, with the project's modules."""
    return run_python("-c", "\n".join(code), *arguments, env={**os.environ, "PYTHONPATH": str(ROOT)}, **options)


@pytest.fixture
def workplace(tmp_path):
    """A folder that holds nothing but runs."""
    return tmp_path


@pytest.fixture
def run(tiny_run, workplace):
    """The latest run of that folder, trained and not yet evaluated."""
    ignored = shutil.ignore_patterns("figures", "metrics.json", "checkpoints", "logs")
    return shutil.copytree(tiny_run, workplace / "runs" / "a", ignore=ignored)


PROGRAM = [
    "import importlib, json, sys",
    "for module, arguments in json.loads(sys.argv[1]):",
    "    try: status = importlib.import_module(module).main(arguments)",
    "    except SystemExit as end: status = end.code",
    f"    loaded = [name for name in {HEAVY} if name in sys.modules]",
    "    print(json.dumps([module, arguments, loaded, status or 0]))",
]


def loaded_and_status(commands, folder):
    """For each command, one after the other: which heavy packages are loaded after it, and its exit status."""
    ended = child(PROGRAM, json.dumps([command[:2] for command in commands]), cwd=folder)
    assert ended.returncode == 0, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines() if line.startswith('["')]


WITHOUT_TENSORFLOW = [
    ("train", ["--help"], 0),
    ("train", ["--epohcs", "3"], 2),
    ("train", ["--beta", "2"], 2),
    ("train", ["--image-size", "40"], 2),
    ("train", ["--data", "nowhere"], 2),
    ("train", ["--resume", "--run", "nowhere"], 2),
    ("evaluate", ["--help"], 0),
    ("evaluate", ["--interpolat"], 2),
    ("evaluate", ["--run", "nowhere"], 2),
    ("evaluate", ["--pdf"], 2),
    ("evaluate", ["--interpolate", "zigzag"], 2),
    ("evaluate", ["--data", "nowhere"], 2),
    ("pgm_tfp.__main__", ["--help"], 0),
    ("pgm_tfp.__main__", ["learn", "--help"], 0),
    ("pgm_tfp.__main__", ["variational", "--seed", "-1"], 2),
    ("pgm_tfp.__main__", ["query", "A | M=maybe"], 2),
    ("pgm_tfp.__main__", ["query", "A | M=1"], 0),
]


def test_help_wrong_flags_and_exact_answers_load_no_tensorflow(run, workplace):
    expected = [[module, arguments, [], status] for module, arguments, status in WITHOUT_TENSORFLOW]
    assert loaded_and_status(WITHOUT_TENSORFLOW, workplace) == expected


def test_a_damaged_record_is_answered_without_tensorflow(run, workplace):
    (run / "metrics.json").write_text("{")
    assert loaded_and_status([("evaluate", ["--sample"])], workplace) == [["evaluate", ["--sample"], [], 2]]


WITHOUT_THE_REPORTS_PACKAGES = [
    "import sys",
    f"for name in {REPORT}: sys.modules[name] = None  # an import of the module raises ImportError",
    "import evaluate",
    "from vae_keras.evaluation import disentanglement",
    "disentanglement.FACES = 300  # all scores on all faces would take minutes",
    "kept = ('mutual_information_gap', 'modularity')",
    "disentanglement.SCORES = {name: disentanglement.SCORES[name] for name in kept}",
    "sys.exit(evaluate.main(sys.argv[1:]))",
]


def test_figures_and_numbers_need_none_of_the_packages_of_the_report(run, workplace):
    ended = child(WITHOUT_THE_REPORTS_PACKAGES, "--sample", "--metrics", cwd=workplace)
    assert ended.returncode == 0, ended.stderr
    assert "test" in json.loads((run / "metrics.json").read_text())


def test_a_report_without_its_packages_ends_in_a_line_that_says_what_to_install(run, workplace):
    ended = child(WITHOUT_THE_REPORTS_PACKAGES, "--report", cwd=workplace)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("evaluate.py --report: markdown, math_core, jinja2, markupsafe cannot be found")
    assert "pip install -r requirements.txt" in line
    assert not (run / "metrics.json").exists()


LIBRARY = """
import vae_keras
from data.rendered_faces import rendered_faces
vae = vae_keras.load_run("runs/a")
vae.decode(vae.encode(rendered_faces(2, size=32).images.all() / 255).mean)
"""


def test_the_library_loads_tensorflow_without_a_word(run, workplace):
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    ended = run_python("-c", LIBRARY, cwd=workplace, env={**environment, "PYTHONPATH": str(ROOT)})
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_missing_package_of_the_explorer_is_one_line_with_the_file_that_installs_it(run, workplace):
    ended = child(
        [
            "import importlib.util, sys",
            "find = importlib.util.find_spec",
            "importlib.util.find_spec = lambda name: None if name == 'nicegui' else find(name)",
            "import evaluate",
            "sys.exit(evaluate.main(['--explore']))",
        ],
        cwd=workplace,
    )
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "nicegui" in ended.stderr
    assert "requirements-explore.txt" in ended.stderr
