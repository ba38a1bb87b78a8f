"""`evaluate.py --compare`: runs beside each other."""

import json
import shutil

import numpy as np
import pytest

import evaluate
import train
from tests.support import TINY
from vae_keras.config_file import load_config
from vae_keras.evaluation.comparison import Number, differences, numbers_of, settings_that_differ
from vae_keras.run_folder import Run


@pytest.fixture(scope="module")
def other_run(made_once):
    """A run with the test images of `tiny_run`, but fewer latents and another objective."""

    def train_it(folder):
        settings = [*TINY[:-1], "3", "--objective", "beta_vae", "--beta", "2", "--epochs", "1"]
        assert train.main([*settings, "--run", str(folder)]) == 0

    return made_once("other", train_it)


def opened(folder):
    return evaluate.open_context(Run(folder), load_config(Run(folder).config))


def test_two_runs_are_shown_beside_each_other(evaluated_run, other_run, tmp_path, monkeypatch, capsys):
    for name, folder in {"a": evaluated_run, "b": other_run}.items():
        shutil.copytree(folder, tmp_path / name, ignore=shutil.ignore_patterns("figures"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert evaluate.main(["--compare", "a", "b"]) == 0
    printed, warned = capsys.readouterr()
    lines = [line.strip("│").split("│") for line in printed.splitlines() if line.startswith("│")]
    rows = {name.strip(): [cell.strip() for cell in cells] for name, *cells in lines}
    assert rows["--latent-dim"] == ["4", "3"]
    assert rows["--objective"] == ["vae", "beta_vae"]
    assert "--image-size" not in rows
    elbo = json.loads((tmp_path / "a" / "metrics.json").read_text())["test"]["elbo"]
    assert rows["test elbo"] == [f"{elbo:,.3f}", ""]  # b was not evaluated, which is said
    assert "evaluate.py --run b" in warned
    assert "±" in rows["psnr"][0]
    new = {path for path in tmp_path.rglob("*") if path.is_file()} - before.keys()
    assert {path.relative_to(tmp_path).as_posix() for path in new} == {
        "a/figures/compared_faces.png", "a/figures/compared_curves.png",
    }  # fmt: skip
    assert all(path.read_bytes() == content for path, content in before.items())


def test_a_difference_has_the_opposite_sign_the_other_way_round_and_is_zero_to_oneself(tiny_run, other_run):
    one, other, again = opened(tiny_run), opened(other_run), opened(tiny_run)
    there, back = differences({"one": one, "other": other}), differences({"other": other, "one": one})
    for quantity, forward in there["other"].items():
        backward = back["one"][quantity]
        np.testing.assert_allclose([forward.value, forward.standard_error], [-backward.value, backward.standard_error])
    assert {difference.value for difference in differences({"one": one, "again": again})["again"].values()} == {0.0}
    # the means are those that the evaluation reports
    expected = other.test_quality["psnr"] - one.test_quality["psnr"]
    assert there["other"]["psnr"].value == pytest.approx(expected, rel=1e-4)


def test_the_elbo_of_a_density_is_not_compared_with_that_of_probabilities(tiny_run):
    one, other = opened(tiny_run), opened(tiny_run)
    other.vae.likelihood.is_density = not other.vae.likelihood.is_density
    assert {*differences({"one": one, "other": other})["other"]} == {"psnr", "ssim"}


def test_numbers_have_their_errors_and_lists_are_left_out():
    record = {
        "format": 3,
        "epoch": 7,
        "test": {"elbo": -3.5, "images": 8},
        "latents": {"mean_std": [0.1, 0.2]},
        "kl_split": {"mutual_information": {"value": 2.0, "standard_error": 0.5}},
        "fidelity": {
            "factors": {"eye_opening": {"image": 1.0, "reconstruction": 0.5, "standard_error": 0.1, "latents": 0.7}}
        },
        "reconstructions": {"images": ["a"], "psnr": 20.0},
        "sample_quality": {"images": 9, "samples": {"frechet": 1.0, "kernel": 0.2, "kernel_error": 0.01}},
        "edits": {"smile": {"strength": 2.0, "change": {"smile": 2.1, "jaw": -1.0, "yaw": 0.1}}},
    }
    assert numbers_of(record) == {
        "test elbo": Number(-3.5),
        "test images": Number(8),
        "kl split mutual information": Number(2.0, 0.5),
        "fidelity factors eye opening image": Number(1.0),
        "fidelity factors eye opening reconstruction": Number(0.5, 0.1),
        "fidelity factors eye opening latents": Number(0.7),
        "reconstructions psnr": Number(20.0),
        "sample quality images": Number(9),
        "sample quality samples frechet": Number(1.0),
        "sample quality samples kernel": Number(0.2, 0.01),
        "edits smile strength": Number(2.0),
        "edits smile changes smile": Number(2.1),
        "edits smile changes jaw": Number(-1.0),
    }


def test_only_settings_that_differ_are_shown(tiny_run, other_run):
    configs = [load_config(Run(folder).config) for folder in (tiny_run, other_run)]
    assert settings_that_differ([configs[0], configs[0]]) == {}
    assert {"--beta", "--objective", "--latent-dim", "--epochs"} <= {*settings_that_differ(configs)}


@pytest.mark.parametrize("different", [["--image-size", "48"], ["--seed", "3"], ["--data", "faces:50"]], ids=" ".join)
def test_runs_with_different_test_images_are_refused(different, tiny_run, tmp_path, capsys):
    settings = dict(zip(TINY[::2], TINY[1::2], strict=True)) | {different[0]: different[1], "--epochs": "1"}
    folder = tmp_path / "other"
    assert train.main([*(text for pair in settings.items() for text in pair), "--run", str(folder)]) == 0
    capsys.readouterr()
    assert evaluate.main(["--compare", str(tiny_run), str(folder)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert str(folder) in line
    assert not (Run(tiny_run).figures / "compared_faces.png").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        ["a"], ["a", "a"], ["a", "./a"], ["a", "b", "a"], ["a", "c"],
        ["a", "b", "--metrics"], ["a", "b", "--run", "a"], ["a", "b", "--interpolate"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_runs_that_cannot_be_beside_each_other_are_refused(wrong, tiny_run, tmp_path, monkeypatch, capsys):
    for name in "ab":
        shutil.copytree(tiny_run, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert evaluate.main(["--compare", *wrong]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
