"""The whole way on real photographs, where the folder of them lies beside the checkout."""

import json

import pytest

import evaluate
import train
from tests.support import ROOT
from vae_keras.runs import Run

FACES = ROOT.parent / "shared" / "faces"


@pytest.mark.skipif(not FACES.is_dir(), reason="no photographs in ../shared/faces")
def test_photographs_are_learnt_and_shown_in_colour(tmp_path):
    run = Run(tmp_path / "a")
    arguments = [
        "--data",
        str(FACES),
        "--channels",
        "3",
        "--image-size",
        "32",
        "--epochs",
        "2",
        "--likelihood",
        "gaussian",
    ]
    assert train.main([*arguments, "--run", str(run.folder)]) == 0
    assert evaluate.main(["--run", str(run.folder)]) == 0
    numbers = json.loads(run.metrics.read_text())
    assert numbers["dataset"]["parts"] == {"train": 702, "validation": 100, "test": 201}
    assert "bits_per_dim" in numbers["test"]
    assert numbers["attributes"]["smile"]["auc"] > 0.5
