import json
import shutil

import evaluate
import train
from tests.support import TINY, script
from vae_keras.config import load_config
from vae_keras.run_data import read_other_data
from vae_keras.run_folder import Run


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
    numbers_alone = {path.name for path in run.figures.iterdir()}
    assert numbers_alone == {
        "latents.png", "pca.png", "kl_split.png", "information.png",
    }  # fmt: skip
    assert set(json.loads(run.metrics.read_text())) == {
        "format", "data", "epoch", "test", "attributes", "latents", "pca", "kl_split", "importance_weighted",
        "disentanglement",
    }  # fmt: skip
    assert evaluate.main(["--run", str(run.folder), "--interpolate", "straight", "--attribute", "jaw"]) == 0
    assert {path.name for path in run.figures.iterdir()} - numbers_alone == {
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
    # A linear model fitted on images that the VAE has not been fitted on would be no fair baseline.
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


def test_the_numbers_of_the_linear_baseline_are_printed_next_to_those_of_the_vae(tmp_path, capsys):
    run = Run(tmp_path / "a")
    assert train.main([*TINY, "--epochs", "1", "--likelihood", "learned_gaussian", "--run", str(run.folder)]) == 0
    capsys.readouterr()
    assert evaluate.main(["--run", str(run.folder), "--metrics"]) == 0
    printed = capsys.readouterr().out
    numbers = json.loads(run.metrics.read_text())
    ours, theirs = numbers["test"]["elbo"], numbers["linear_vae"]["elbo"]
    (row,) = [line for line in printed.splitlines() if "elbo" in line]
    assert f"{ours:,.3f}" in row
    assert f"{theirs:,.3f}" in row
    assert numbers["linear_vae"]["verdict"] in printed
    assert f"The VAE {'beats' if ours > theirs else 'loses to'} the linear VAE" in printed


def test_numbers_of_an_earlier_epoch_are_not_shown_as_those_of_a_later_one(tmp_path):
    run = Run(tmp_path / "a")
    settings = [*TINY, "--validation", "0", "--run", str(run.folder)]
    assert train.main([*settings, "--epochs", "1"]) == 0
    assert evaluate.main(["--run", str(run.folder), "--metrics"]) == 0
    assert json.loads(run.metrics.read_text())["epoch"] == 1
    assert train.main(["--resume", "--epochs", "2", "--run", str(run.folder)]) == 0
    assert evaluate.main(["--run", str(run.folder), "--sample"]) == 0
    assert set(json.loads(run.metrics.read_text())) == {"format", "data", "epoch", "samples"}


def test_figures_of_other_images_say_so(tiny_run, tmp_path, monkeypatch):
    captions = []
    monkeypatch.setattr("vae_keras.evaluation.saving.add_to_caption", lambda figure, note: captions.append(note))
    run = Run(shutil.copytree(tiny_run, tmp_path / "a"))
    assert evaluate.main(["--run", str(run.folder), "--data", "faces:60", "--sample", "--traverse"]) == 0
    assert captions == ["Images: faces:60."] * 3
    assert evaluate.main(["--run", str(run.folder), "--sample"]) == 0
    assert len(captions) == 3
