"""Every benchmark runs at its smallest size."""

import re
import shutil
import sys
from importlib import import_module

import numpy as np
import pytest
from PIL import Image

from benchmarks import scaling
from tests.support import ROOT
from vae_keras import metrics
from vae_keras.report.pdf import BROWSERS

# By benchmark, what makes it small, and its arguments; {folder} is a folder of photographs, {run} a run.
SMALL = {
    "approximate_inference": (
        {
            "KNOWN": ("server room", "cancer"),
            "SEEDS": 2,
            "COMPARED": ("cancer",),
            "TIMES": (0.05,),
            "GRID_SIDE": 4,
            "EXACT_SIDE": 3,
            "FOUR_PARENTS": 10,
            "CHILDREN": 60,
            "COUPLINGS": (0.1,),
            "SWEEPS": 2,
        },
        [],
    ),
    "architectures": (
        {
            "SETTINGS": {
                "data": "faces:40",
                "image_size": 32,
                "latent_dim": 2,
                "channels": 3,
                "architecture": "residual",
                "schedule": "cosine",
                "batch_size": 8,
                "epochs": 1,
            },
            "VARIANTS": {"without FiLM": {"film": False}},
        },
        ["1"],
    ),
    "beta_study": (
        {
            "SETTINGS": {
                "data": "faces:40",
                "image_size": 32,
                "channels": 1,
                "latent_dim": 2,
                "architecture": "table",
                "linear_start": False,
                "batch_size": 16,
                "epochs": 1,
            },
            "GRID": {"beta-VAE": ({"objective": "beta_vae", "warm_up": 0}, "beta", (4,))},
            "SEEDS": (0,),
            "LONGER": (("beta-VAE", 4),),
            "SCORES": {"modularity": metrics.SCORES["modularity"]},
        },
        [],
    ),
    "disentanglement_scores": ({"ROWS": 300, "FACTORS": 3, "LEVELS": 2, "LATENTS": 3}, []),
    "exact_inference": ({"ROWS": 20, "ROWS_OF_PYAGRUM": 2, "LOG_ROWS": 100, "REPETITIONS": 1, "LEAST": 0}, ["cancer"]),
    "explorer": ({"MOVES": 3, "DRAGGED": 3}, ["{run}"]),
    "large_folder": ({"CELLS": dict.fromkeys(("interpreter", "cache", "batches"))}, ["40"]),
    "photographs": (
        {
            "SETTINGS": ["--image-size", "32", "--channels", "3", "--likelihood", "gaussian"],
            "OWN_SETTINGS": {2: ["--epochs", "1", "--shift", "1"]},
        },
        ["{folder}"],
    ),
    "priors": (
        {
            "SETTINGS": {"data": "faces:40", "image_size": 32, "latent_dim": 2, "epochs": 2, "validation": 0.0},
            "PRIORS": {
                "standard": {},
                "flow": {"prior": "flow", "couplings": 1},
                "vamp": {"prior": "vamp", "pseudo_inputs": 2},
            },
        },
        ["0.001"],
    ),
    "rendering": ({"IMAGES": 1, "PARALLEL_FROM": 1, "REPEATS": 1}, []),
    "table_sizes": (
        {
            "SETTINGS": {"data": "faces:40", "image_size": 32, "batch_size": 16},
            "VARIANTS": {"defaults": {}, "random start": {"linear_start": False}},
        },
        ["0.01"],
    ),
    "scaling": ({"NETWORKS": {"table": scaling.NETWORKS["table"]}, "ROUNDS": 1}, ["0.1"]),
    "throughput": ({"BATCH": 2, "ROUNDS": 1, "STEPS": 1, "WARM_UP": 1}, []),
    "training": (
        {
            "FITTED": {"data": "faces:40", "image_size": 32, "batch_size": 16, "validation": 0.0, "epochs": 4},
            "MEASURED": 2,
            "ONE_STEP": ["--data", "faces:40", "--image-size", "32", "--validation", "0", "--epochs", "1"],
            "LONG": ["--data", "faces:40", "--image-size", "32", "--epochs", "2"],
        },
        [],
    ),
    "variational": ({"FITS": {"server_room": ("server room", {"M": True}, ("mean_field",))}, "MORE_STARTS": 2}, []),
}


def test_every_benchmark_has_a_smallest_size():
    benchmarks = {
        path.stem for path in (ROOT / "benchmarks").glob("*.py") if "__main__" in path.read_text(encoding="utf-8")
    }
    assert benchmarks == set(SMALL)


@pytest.fixture
def folder(tmp_path):
    """Twenty photographs of noise in two classes."""
    random = np.random.default_rng(0)
    for place in range(20):
        path = tmp_path / "photographs" / ("smile", "non_smile")[place % 2] / f"{place}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(path)
    return tmp_path / "photographs"


# An earlier test may have made TensorFlow deterministic, and then Keras compiles nothing with XLA.
@pytest.mark.filterwarnings("ignore:Model doesn't support `jit_compile=True`")
@pytest.mark.filterwarnings("ignore:`torch.jit")  # PyTorch's own compiler calls what PyTorch deprecates
@pytest.mark.parametrize("name", SMALL)
def test_a_benchmark_runs_at_its_smallest_size(name, folder, tiny_run, tmp_path, monkeypatch, capsys):
    if name == "explorer" and not any(map(shutil.which, BROWSERS)):
        pytest.skip("the explorer is measured in Chromium or Chrome, and neither is installed")
    sizes, arguments = SMALL[name]
    benchmark = import_module(f"benchmarks.{name}")
    for constant, value in sizes.items():
        assert hasattr(benchmark, constant)
        monkeypatch.setattr(benchmark, constant, value)
    if name == "explorer":  # the network that reads factors sees few faces
        small_explorer = ROOT / "tests" / "vae_keras" / "explorer" / "small_explorer.py"
        monkeypatch.setattr(benchmark, "PROGRAM", (str(small_explorer), str(tmp_path)))
    for constant, file in (("FIGURE", "figure.png"), ("RESULTS", "results.json")):
        if hasattr(benchmark, constant):
            monkeypatch.setattr(benchmark, constant, tmp_path / file)
    if name in ("architectures", "beta_study", "large_folder", "photographs", "priors"):
        monkeypatch.chdir(tmp_path)  # it trains below runs/
    monkeypatch.setattr(sys, "argv", [name, *(argument.format(folder=folder, run=tiny_run) for argument in arguments)])
    benchmark.main()
    assert re.search(r"\d", capsys.readouterr().out)
