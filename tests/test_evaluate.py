import json
import os
import shutil
import time

import numpy as np
import pytest
from PIL import Image

import evaluate
import train
from data.rendered_faces import rendered_faces
from tests.support import TINY, script
from vae_keras.config_file import load_config
from vae_keras.latent import encode_images
from vae_keras.run_data import read_data, read_other_data
from vae_keras.run_folder import Run
from vae_keras.runs import load_run


def test_the_latest_run_is_evaluated_where_none_is_named(tiny_run, tmp_path):
    folder = tmp_path / "runs" / "copy"
    shutil.copytree(tiny_run, folder, ignore=shutil.ignore_patterns("figures"))
    result = script("evaluate.py", "--interpolate", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stderr.splitlines() == ["evaluate.py: fitting a prior to the latents of the train images"]
    assert {path.name for path in Run(folder).figures.iterdir()} == {
        "interpolation_spherical.png",
        "interpolation_spherical.gif",
    }


def test_a_choice_writes_that_and_nothing_else(tiny_run, tmp_path):
    shutil.copytree(tiny_run, tmp_path / "a", ignore=shutil.ignore_patterns("figures", "metrics.json"))
    run = Run(tmp_path / "a")
    run.figures.mkdir()
    for name, age in {"young": 60, "old": 7200}.items():
        path = run.figures / f".unfinished-{name}.png"
        path.touch()
        os.utime(path, (time.time() - age,) * 2)
    assert evaluate.main(["--run", str(run.folder), "--metrics"]) == 0
    # What a killed process left is removed; what another process may be writing is not.
    assert [path.name for path in run.figures.glob(".*")] == [".unfinished-young.png"]
    (run.figures / ".unfinished-young.png").unlink()
    numbers_alone = {path.name for path in run.figures.iterdir()}
    assert numbers_alone == {
        "latents.png", "pca.png", "kl_split.png", "information.png",
    }  # fmt: skip
    assert set(json.loads(run.metrics.read_text())) == {
        "format", "data", "epoch", "inputs", "test", "attributes", "latents", "pca", "kl_split", "importance_weighted",
        "disentanglement", "fitted_prior",
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
    assert set(json.loads(run.metrics.read_text())) == {"format", "data", "epoch", "inputs", "samples"}


def test_the_epoch_is_that_of_the_model_whatever_the_history_has(tiny_run, tmp_path, capsys):
    """A kill may come between a row of the history and the model that belongs to it; a row may be deleted."""
    run, fresh = Run(tmp_path / "a"), Run(tmp_path / "b")
    assert train.main([*TINY, "--epochs", "1", "--run", str(run.folder)]) == 0
    shutil.copytree(tiny_run, fresh.folder, ignore=shutil.ignore_patterns("figures", "metrics.json"))
    history = fresh.history.read_text()
    shutil.copy(run.model, fresh.model)
    assert evaluate.main(["--run", str(fresh.folder), "--metrics", "--curves"]) == 0
    numbers = json.loads(fresh.metrics.read_text())
    assert numbers["epoch"] == 1
    assert numbers["curves"]["epochs"] == 3
    load_run(fresh.folder, "last").save(fresh.model)
    fresh.history.write_text("".join(history.splitlines(keepends=True)[:2]))
    assert evaluate.main(["--run", str(fresh.folder), "--sample"]) == 0
    numbers = json.loads(fresh.metrics.read_text())
    assert numbers["epoch"] == 3
    assert "test" not in numbers
    assert "curves" not in numbers
    assert "test, " in capsys.readouterr().err


@pytest.fixture
def folder_of_images(tmp_path):
    """Rendered faces in a folder with a table of attributes: a folder, and a function that writes the table."""
    faces = rendered_faces(60, 32)
    folder = tmp_path / "images"
    folder.mkdir()
    for name, image in zip(faces.names, faces.images.all(), strict=True):
        Image.fromarray(image[..., 0]).save(folder / f"{name}.png")

    def write(*columns, turned=False):
        rows = [
            f"{name}.png,{','.join(str(value ^ turned) for value in values)}"
            for name, values in zip(faces.names, faces.labels[:, : len(columns)].astype(int), strict=True)
        ]
        (folder / "attributes.csv").write_text("\n".join([f"image,{','.join(columns)}", *rows]) + "\n")

    return folder, write


def test_numbers_are_dropped_with_a_word_when_what_they_depend_on_changes(tiny_run, folder_of_images, tmp_path, capsys):
    run = Run(shutil.copytree(tiny_run, tmp_path / "a", ignore=shutil.ignore_patterns("figures", "metrics.json")))
    folder, write = folder_of_images

    def numbers_after(*chosen):
        capsys.readouterr()
        assert evaluate.main(["--run", str(run.folder), "--data", str(folder), *chosen]) == 0
        return json.loads(run.metrics.read_text())

    write("old", "kept")
    first = numbers_after("--metrics")
    assert set(first["attributes"]) == {"old", "kept"}
    assert "removed" not in capsys.readouterr().err
    # Corrected labels under the same names, then a renamed column: the numbers on pixels stay.
    write("old", "kept", turned=True)
    corrected = numbers_after("--sample")
    assert "attributes" not in corrected
    assert corrected["test"] == first["test"]
    assert "attributes" in capsys.readouterr().err
    numbers_after("--metrics")
    write("new", "kept", turned=True)
    assert set(numbers_after("--metrics")["attributes"]) == {"new", "kept"}
    # Other pixels under the same names
    for path in folder.glob("*.png"):
        with Image.open(path) as image:
            turned = image.rotate(180)
        turned.save(path)
    assert "test" not in numbers_after("--sample")
    assert "test, " in capsys.readouterr().err


def test_numbers_on_other_images_stand_beside_those_of_the_run(tiny_run, tmp_path, capsys):
    run = Run(shutil.copytree(tiny_run, tmp_path / "a", ignore=shutil.ignore_patterns("figures", "metrics.json")))

    def numbers_after(*arguments):
        assert evaluate.main(["--run", str(run.folder), *arguments]) == 0
        return json.loads(run.metrics.read_text())

    own = numbers_after("--sample")
    other = numbers_after("--data", "faces:60", "--interpolate")
    assert other["others"]["faces:40"] == {key: own[key] for key in ("data", "epoch", "inputs", "samples")}
    again = numbers_after("--reconstruct")
    assert again["samples"] == own["samples"]
    assert set(again["others"]) == {"faces:60"}
    assert again["others"]["faces:60"]["interpolation"] == other["interpolation"]
    # Another model makes both stale.
    vae = load_run(run.folder)
    vae.decoder.layers[-1].bias.assign_add([1.0])
    vae.save(run.model)
    capsys.readouterr()
    assert "others" not in numbers_after("--reconstruct")
    assert "samples, interpolation of faces:60" in capsys.readouterr().err


def test_figures_of_other_images_say_so(tiny_run, tmp_path, monkeypatch):
    captions = []
    monkeypatch.setattr("vae_keras.evaluation.saving.add_to_caption", lambda figure, note: captions.append(note))
    run = Run(shutil.copytree(tiny_run, tmp_path / "a"))
    assert evaluate.main(["--run", str(run.folder), "--data", "faces:60", "--sample", "--traverse"]) == 0
    assert captions == ["Images: faces:60."] * 3
    assert evaluate.main(["--run", str(run.folder), "--sample"]) == 0
    assert len(captions) == 3


def edited_by_hand(run, path, strengths):
    """What the edit of one picture should give, without `vae_keras.pictures` and `evaluation`."""
    config, vae = load_config(run.config), load_run(run.folder)
    data = read_data(config, run.split)
    with Image.open(path) as file:
        size = (config.image_size, config.image_size)
        pixels = np.asarray(file.convert("L").resize(size, Image.Resampling.LANCZOS))[None, ..., None]
    trained = data.dataset.take(data.split.train)
    means = encode_images(vae, trained.images.all()).mean
    latent = np.asarray(vae.encode(pixels / np.float32(255)).mean)[0]
    for name, strength in strengths.items():
        has = trained.label(name)
        latent = latent + strength * (means[has].mean(0) - means[~has].mean(0))
    return np.asarray(vae.decode(latent[None]))[0]


def test_pictures_of_ones_own_are_edited(tiny_run, tmp_path, capsys):
    shutil.copytree(tiny_run, tmp_path / "a", ignore=shutil.ignore_patterns("figures", "metrics.json"))
    run = Run(tmp_path / "a")
    before = {path.name for path in run.folder.iterdir()}
    for name, image in zip("ab", rendered_faces(2, 40, 3).images.all(), strict=True):
        Image.fromarray(image).save(tmp_path / f"{name}.png")
    pictures = [str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    output = tmp_path / "out" / "edited.png"
    edits = ("smile=+2", "smile=-1,jaw=0.5")
    by_means = ("--direction", "means")
    assert (
        evaluate.main(["--run", str(run.folder), "--edit", *pictures, *edits, *by_means, "--output", str(output)]) == 0
    )
    assert str(output) in capsys.readouterr().out
    assert {path.name for path in run.folder.iterdir()} == before  # nothing else is written
    with Image.open(output) as sheet:
        pixels = np.asarray(sheet)
    assert pixels.shape == (66, 66)  # two rows and two columns of 32 pixels, two pixels apart
    for row, picture in enumerate(pictures):
        for column, strengths in enumerate(({"smile": 2}, {"smile": -1, "jaw": 0.5})):
            expected = np.rint(edited_by_hand(run, picture, strengths).squeeze() * 255)
            shown = pixels[34 * row : 34 * row + 32, 34 * column : 34 * column + 32]
            np.testing.assert_allclose(shown, expected, atol=1)
    assert evaluate.main(["--run", str(run.folder), "--edit", pictures[0], "smile=+2", *by_means]) == 0
    with Image.open(run.figures / "edited.png") as one:
        np.testing.assert_array_equal(np.asarray(one), pixels[:32, :32])


@pytest.mark.parametrize(
    "wrong",
    [
        ["--edit", "smile=+2"],
        ["--edit", "face.png"],
        ["--edit", "missing.png", "smile=+2"],
        ["--edit", "face.png", "smile=+2", "face.png"],
        ["--edit", "face.png", "smile=much"],
        ["--edit", "face.png", "smile=1,smile=2"],
        ["--edit", "face.png", "smile=+2", "--output", "folder"],
        ["--edit", "face.png", "smile=+2", "--output", "one.docx"],
        ["--output", "one.png"],
        ["--edit", "face.png", "smiel=+2"],
        ["--edit", "text.png", "smile=+2"],
    ],
    ids=" ".join,
)
def test_an_edit_that_cannot_be_made_is_refused_before_anything_is_written(
    wrong, tiny_run, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    Image.new("L", (40, 40)).save("face.png")
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "folder").mkdir()
    before = {*tmp_path.rglob("*")}
    assert evaluate.main(["--run", str(tiny_run), *wrong]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("evaluate.py: ")
    assert {*tmp_path.rglob("*")} == before
