"""Commands in the documentation: every benchmark is named and there, and every script accepts its flags."""

import json
import re
import shlex

import pytest

import evaluate
import train
from benchmarks import approximate_inference, architectures, beta_study, exact_inference, large_folder, scaling
from data import __main__ as write_faces
from pgm_tfp import __main__ as pgm_tfp
from pgm_tfp.commands.shared import check_ranges
from tests.benchmarks.test_smoke import SMALL
from tests.support import ROOT
from vae_keras.command_line import given_settings
from vae_keras.config import Config

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMAND = re.compile(r"^(python (?:train\.py|evaluate\.py|-m pgm_tfp|-m data)\b[^\n]*?)(?:  +#.*)?$", re.MULTILINE)
TYPED = sorted({command for page in PAGES for command in COMMAND.findall(page.read_text(encoding="utf-8"))})


def test_every_benchmark_in_the_documentation_is_there():
    named = {name for page in PAGES for name in re.findall(r"benchmarks[./](\w+)", page.read_text(encoding="utf-8"))}
    assert set(SMALL) <= named
    assert all((ROOT / "benchmarks" / f"{name}.py").exists() for name in named)


@pytest.mark.parametrize("typed", TYPED)
def test_every_command_in_the_documentation_has_valid_flags(typed, tmp_path, monkeypatch):
    """Tests of the scripts run them; here every command as it is printed is read, and its settings are checked."""
    monkeypatch.chdir(tmp_path)
    for folder in ("runs/my_faces/non_smile", "path/to/faces"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "runs/my_faces/non_smile/face-000002.png").touch()
    _, script, *arguments = shlex.split(typed)
    if script == "train.py":
        flags = train.parse(arguments)
        assert flags.resume or Config.of(**given_settings(flags)).checked()
    elif script == "evaluate.py":
        evaluate.parse(arguments)
    elif arguments[0] == "data":
        write_faces.parse(arguments[1:])
    else:
        flags = pgm_tfp.parse(arguments[1:])
        check_ranges(flags)


def test_commands_are_found_on_several_pages():
    assert len(TYPED) > 25


def test_the_table_of_the_calibration_is_that_of_its_cells():
    results = json.loads(approximate_inference.RESULTS.read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "approximate.md").read_text(encoding="utf-8")
    assert approximate_inference.markdown_of(results) in page
    # Binomial standard deviation of 200 runs: 1.5 % if all intervals of a run were one.
    for cell in results.values():
        if cell.get("held_common"):
            assert 0.92 <= cell["held_common"][approximate_inference.LEVELS.index(0.95)] <= 0.98


def test_the_table_of_exact_inference_is_that_of_its_cells():
    results = json.loads(exact_inference.RESULTS.read_text(encoding="utf-8"))
    assert exact_inference.markdown_of(results) in (ROOT / "docs" / "measurements.md").read_text(encoding="utf-8")
    assert max(row.get("difference", 0.0) for row in results.values()) < 1e-10


def test_the_table_of_the_large_folder_is_that_of_its_cells():
    results = json.loads(large_folder.RESULTS.read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "measurements.md").read_text(encoding="utf-8")
    assert large_folder.markdown_of(results) in page
    for name in ("training", "evaluation"):  # "below 2 GiB"
        assert results[name]["peak"] - results["interpreter"]["peak"] < 2048


def test_the_table_of_the_beta_study_is_that_of_its_cells():
    page = (ROOT / "docs" / "theory" / "2-2-1-beta-vae.md").read_text(encoding="utf-8")
    results = json.loads(beta_study.RESULTS.read_text(encoding="utf-8"))
    assert beta_study.markdown_of(results) in page
    once = [cell for cell in beta_study.cells() if cell.longer == 1 and cell.name in results]
    measurements = (ROOT / "docs" / "measurements.md").read_text(encoding="utf-8")
    assert f"of 48 cells, {len(once)} are computed" in measurements
    assert len([*beta_study.cells()]) - len(beta_study.LONGER) == 48


def test_the_table_of_architectures_is_that_of_its_results():
    results = json.loads(architectures.RESULTS.read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "measurements.md").read_text(encoding="utf-8")
    assert architectures.markdown_of(results) in page
    for name, numbers in results.items():
        assert numbers["settings"] == architectures.config_of(name).settings()


def test_the_settings_of_the_demo_are_those_of_its_benchmark():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    demo = re.search(r"^DEMO_SETTINGS := (.*)$", makefile, re.MULTILINE)[1]
    given = given_settings(train.parse(demo.split()))
    assert Config.of(**given) == Config.of(**architectures.SETTINGS)


def test_the_tables_of_scaling_are_those_of_its_results():
    results = json.loads(scaling.RESULTS.read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "distributed.md").read_text(encoding="utf-8")
    assert scaling.measured_table(results) in page
    assert scaling.projected_table(results) in page
