import json
import shutil

import evaluate
from tests.support import script
from vae_keras.runs import Run


def test_the_latest_run_is_evaluated_where_none_is_named(tiny_run, tmp_path):
    folder = tmp_path / "runs" / "copy"
    shutil.copytree(tiny_run, folder)
    result = script("evaluate.py", "--interpolate", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert [path.name for path in Run(folder).figures.iterdir()] == ["interpolation_spherical.png"]


def test_a_choice_writes_that_and_nothing_else(tiny_run, tmp_path):
    shutil.copytree(tiny_run, tmp_path / "a", ignore=shutil.ignore_patterns("figures", "metrics.json"))
    run = Run(tmp_path / "a")
    assert evaluate.main(["--run", str(run.folder), "--metrics"]) == 0
    assert not run.figures.exists()
    assert list(json.loads(run.metrics.read_text())) == ["test"]
    assert evaluate.main(["--run", str(run.folder), "--interpolate", "straight", "--attribute", "jaw"]) == 0
    assert {path.stem for path in run.figures.iterdir()} == {"interpolation_straight", "attribute_jaw"}
    assert set(json.loads(run.metrics.read_text())) == {"test", "interpolation", "attributes"}


def test_evaluating_twice_gives_the_same_numbers(evaluated_run):
    before = Run(evaluated_run).metrics.read_bytes()
    assert evaluate.main(["--run", str(evaluated_run)]) == 0
    assert Run(evaluated_run).metrics.read_bytes() == before


def test_other_images_can_be_evaluated(tiny_run, tmp_path):
    shutil.copytree(tiny_run, tmp_path / "a", ignore=shutil.ignore_patterns("figures", "metrics.json"))
    assert evaluate.main(["--run", str(tmp_path / "a"), "--data", "faces:60", "--metrics"]) == 0
    assert json.loads(Run(tmp_path / "a").metrics.read_text())["test"]["images"] == 12
