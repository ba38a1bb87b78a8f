"""Training and evaluation on a folder of images with classes: a folder made here, and real photographs."""

import json

import pytest
from PIL import Image

import evaluate
import train
from data.rendered_faces import rendered_faces
from tests.support import ROOT
from vae_keras.run_folder import Run

PHOTOGRAPHS = ROOT.parent / "shared" / "faces"


def train_and_evaluate(folder, run, *settings):
    """Train and evaluate a short run in colour on a folder; its metrics."""
    arguments = ["--data", str(folder), "--channels", "3", "--image-size", "32", "--likelihood", "gaussian", *settings]
    assert train.main([*arguments, "--run", str(run.folder)]) == 0
    assert evaluate.main(["--run", str(run.folder)]) == 0
    assert (run.figures / "attribute_smile.png").exists()
    assert (run.figures / "linear_vae.png").exists()
    return json.loads(run.metrics.read_text())


def test_a_folder_with_classes_is_trained_on_and_evaluated_in_colour(tmp_path):
    faces = rendered_faces(60, 48, channels=3)
    for name, image, kind in zip(faces.names, faces.images.all(), faces.classes, strict=True):
        path = tmp_path / "faces" / kind / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    numbers = train_and_evaluate(tmp_path / "faces", Run(tmp_path / "run"), "--epochs", "2")
    assert numbers["dataset"]["parts"] == {"train": 42, "validation": 6, "test": 12}
    assert numbers["dataset"]["labels"]["smile"] == sum(faces.classes == "smile")
    assert 5 < numbers["test"]["bits_per_dim"] < 10


def test_folders_with_odd_names_are_trained_on_resumed_and_evaluated(tmp_path):
    classes, folders = ["ren\udce9", "a\nb", "L" * 255, "日本 語"], ["f\udcffces\n", "\udcff"]
    for place, image in enumerate(rendered_faces(96, 32).images.all()):
        path = tmp_path / folders[place // 48] / classes[place % 4] / f"{place}\udce9\n.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(path)
    run = Run(tmp_path / "r\udcfcn")
    settings = ["--image-size", "32", "--latent-dim", "2", "--batch-size", "16", "--run", str(run.folder)]
    assert train.main(["--data", str(tmp_path / folders[0]), *settings, "--epochs", "1"]) == 0
    assert train.main(["--resume", "--run", str(run.folder), "--epochs", "2"]) == 0
    assert evaluate.main(["--run", str(run.folder), "--report", "--attribute", classes[2]]) == 0
    assert set(json.loads(run.metrics.read_text())["attributes"]) == {r"ren\udce9", r"a\nb", *classes[2:]}
    assert len(list(run.figures.glob("attribute_LLL*.png"))) == 1
    assert r"f\udcffces" in (run.folder / "report.html").read_text(encoding="utf-8")
    assert evaluate.main(["--run", str(run.folder), "--data", str(tmp_path / folders[1]), "--reconstruct"]) == 0


@pytest.mark.skipif(not PHOTOGRAPHS.is_dir(), reason="no photographs in ../shared/faces")
def test_a_run_on_photographs_separates_smiles(tmp_path):
    numbers = train_and_evaluate(
        PHOTOGRAPHS, Run(tmp_path / "run"), "--epochs", "15", "--variance", "0.02", "--lr", "2e-3"
    )
    assert numbers["dataset"]["parts"] == {"train": 702, "validation": 100, "test": 201}
    # Chance is 0.5, with a standard error of 0.04 on 201 images.
    assert numbers["attributes"]["smile"]["auc"] > 0.62
