import json
import shutil

import evaluate
import train
from tests.support import script
from vae_keras.config import load_config
from vae_keras.run_data import read_other_data
from vae_keras.runs import Run


def test_the_latest_run_is_evaluated_where_none_is_named(tiny_run, tmp_path):
    folder = tmp_path / "runs" / "copy"
    shutil.copytree(tiny_run, folder, ignore=shutil.ignore_patterns("figures"))
    result = script("evaluate.py", "--interpolate", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert {path.name for path in Run(folder).figures.iterdir()} == {
        "interpolation_spherical.png",
        "interpolation_spherical.gif",
    }


def test_a_choice_writes_that_and_nothing_else(tiny_run, tmp_path):
    shutil.copytree(tiny_run, tmp_path / "a", ignore=shutil.ignore_patterns("figures", "metrics.json"))
    run = Run(tmp_path / "a")
    assert evaluate.main(["--run", str(run.folder), "--metrics"]) == 0
    assert {path.name for path in run.figures.iterdir()} == {"latents.png", "pca.png"}
    assert set(json.loads(run.metrics.read_text())) == {"data", "test", "attributes", "latents", "pca"}
    assert evaluate.main(["--run", str(run.folder), "--interpolate", "straight", "--attribute", "jaw"]) == 0
    assert {path.name for path in run.figures.iterdir()} - {"latents.png", "pca.png"} == {
        "interpolation_straight.png", "interpolation_straight.gif", "attribute_jaw.png",
    }  # fmt: skip
    assert "interpolation" in json.loads(run.metrics.read_text())


def test_evaluating_twice_gives_the_same_numbers(evaluated_run):
    before = Run(evaluated_run).metrics.read_bytes()
    assert evaluate.main(["--run", str(evaluated_run)]) == 0
    assert Run(evaluated_run).metrics.read_bytes() == before


def test_other_images_are_tested_on_where_the_model_has_not_seen_them(tiny_run, tmp_path):
    # The first forty of sixty rendered faces are the forty that the run was made with.
    shutil.copytree(tiny_run, tmp_path / "a", ignore=shutil.ignore_patterns("figures", "metrics.json"))
    run = Run(tmp_path / "a")
    data = read_other_data(load_config(run.config), run.split, "faces:60")
    saved = json.loads(run.split.read_text())
    tested = {data.dataset.names[index] for index in data.split.test}
    assert tested
    assert not tested & {*saved["train"], *saved["validation"]}
    assert evaluate.main(["--run", str(run.folder), "--data", "faces:60", "--metrics"]) == 0
    numbers = json.loads(run.metrics.read_text())
    assert (numbers["data"], numbers["test"]["images"]) == ("faces:60", len(tested))
    # A linear model fitted on images that the VAE has not been fitted on would be no fair rival.
    assert "pca" not in numbers


def test_the_same_images_at_another_place_are_the_runs_own(tiny_run, tmp_path):
    run = Run(tiny_run)
    assert read_other_data(load_config(run.config), run.split, "faces:40").fitted
    assert not read_other_data(load_config(run.config), run.split, "faces:60").fitted


def test_the_smallest_run_there_can_be_is_shown_in_full(tmp_path):
    run = Run(tmp_path / "a")
    settings = ["--data", "faces:10", "--image-size", "32", "--latent-dim", "1", "--epochs", "1"]
    assert train.main([*settings, "--run", str(run.folder)]) == 0
    assert evaluate.main(["--run", str(run.folder)]) == 0
    assert {"latent_map.png", "traversal.gif", "pca.png"} < {path.name for path in run.figures.iterdir()}
