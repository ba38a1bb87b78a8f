"""A figure and a metric of one's own are one function and one line each: drawn, counted, saved and reported."""

import json

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

import evaluate
from common.figures import title_and_caption
from vae_keras.evaluation import EVALUATIONS, TEST_METRICS, Choice, Evaluation, always
from vae_keras.run_folder import Run


def contrast(context):
    """Standard deviation of the pixels of the test images."""
    return context.test_images.all().std() / 255


def brightness(context):
    """A histogram of the pixels of the test images."""
    figure = Figure(layout="constrained")
    axes = figure.add_subplot()
    pixels = context.test_images.all() / 255
    axes.hist(pixels.ravel())
    title_and_caption(figure, "Brightness", "Pixels of the test images.")
    mean = float(pixels.mean())
    return Evaluation({"brightness.png": figure}, {"additional": {"mean_pixel": mean}})


@pytest.fixture
def registered(monkeypatch):
    monkeypatch.setitem(TEST_METRICS, "contrast", contrast)
    monkeypatch.setitem(EVALUATIONS, "brightness", Choice("histogram of the pixels", always(brightness)))


def test_a_registered_figure_and_metric_are_saved_and_reported(registered, tiny_run, tmp_path, capsys):
    run = Run(tmp_path / "run")
    run.folder.mkdir()
    for name in ("config.json", "split.json", "history.csv", "model.keras"):
        (run.folder / name).write_bytes((tiny_run / name).read_bytes())
    assert evaluate.main(["--run", str(run.folder), "--report"]) == 0
    with Image.open(run.figures / "brightness.png") as drawn:
        assert min(drawn.size) > 100
    additional = json.loads(run.metrics.read_text())["additional"]
    assert set(additional) == {"contrast", "mean_pixel"}
    assert 0 < additional["contrast"] < 0.5
    page = (run.folder / "report.html").read_text()
    assert "Pixels of the test images." in page
    assert f"{additional['contrast']:,.4g}" in page
    assert "contrast" in capsys.readouterr().out


def test_a_registered_figure_has_a_flag(registered, capsys):
    with pytest.raises(SystemExit):
        evaluate.parse(["--help"])
    assert "--brightness histogram of the pixels" in " ".join(capsys.readouterr().out.split())


def test_a_metric_that_is_not_registered_leaves_no_trace(evaluated_run):
    assert "additional" not in json.loads(Run(evaluated_run).metrics.read_text())
    assert np.all(list(TEST_METRICS) == [])
