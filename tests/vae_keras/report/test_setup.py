"""What the report says a run was made of."""

import shlex

import pytest

import train
import vae_keras
from vae_keras import likelihoods, objectives
from vae_keras.command_line import given_settings
from vae_keras.config import Config
from vae_keras.report.setup import command_of, first_line, layer_row, setting_rows

CHOICES = [
    {},
    {"data": "faces:200", "epochs": 20, "lr": 1e-3},
    {"data": "olivetti", "architecture": "deep", "dropout": 0.25, "precision": "float32"},
    {"linear_start": False, "flip": True, "shift": 3},
    {"objective": "beta_vae", "beta": 4.0, "likelihood": "gaussian", "variance": 0.02},
    {"objective": "annealed_vae", "capacity": 12.5, "warm_up": 100.0, "epochs": 300},
    {"objective": "beta_tc_vae", "estimator": "weighted", "batch_size": 64},
    {"objective": "factor_vae", "gamma": 35.0, "seed": 3, "validation": 0.0},
]


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_the_command_gives_the_settings_back(choice):
    config = Config.of(**choice).checked()
    python, script, *arguments = shlex.split(command_of(config))
    assert (python, script) == ("python", "train.py")
    assert Config.of(**given_settings(train.parse(arguments))).checked() == config


def test_the_command_says_no_more_than_it_has_to():
    assert command_of(Config().checked()) == "python train.py"
    beta = Config.of(objective="beta_vae", beta=4.0, warm_up=0.0, precision="float32").checked()
    assert command_of(beta) == "python train.py --objective beta_vae"
    assert command_of(Config.of(linear_start=False).checked()) == "python train.py --no-linear-start"


def test_the_command_is_known_where_the_images_are_gone(tmp_path):
    (tmp_path / "my faces").mkdir()
    config = Config.of(data=str(tmp_path / "my faces"), channels=3).checked()
    (tmp_path / "my faces").rmdir()
    assert command_of(config) == f"python train.py --data '{config.data}' --channels 3"


def test_only_settings_in_use_are_listed():
    rows = {flag: value for flag, value, _ in setting_rows(Config.of(objective="beta_vae").checked())}
    assert rows["--beta"] == "4.0"
    assert rows["--image-size"] == "128"
    assert "--gamma" not in rows
    assert "--variance" not in rows


def test_layers_are_told_with_their_shapes_and_parameters():
    vae = vae_keras.build_vae((32, 32, 1), 4)
    first, *_, last = [layer_row(layer) for layer in vae.encoder.layers]
    # 8 x 8 x 1 weights and a bias for each of 32 filters
    assert first == ("Conv2D, kernel 8, stride 4, ReLU", "8 x 8 x 32", "2,080")
    assert last == ("Dense", "8", f"{1024 * 8 + 8:,}")


def test_an_objective_says_its_formula_and_its_numbers():
    assert first_line(objectives.BetaVAE(3.0)) == (
        "reconstruction_nll + beta KL (Higgins et al. 2017, eq. 4). Here beta = 3.0, warm_up = 0.0."
    )
    assert "variance = 0.02" in first_line(likelihoods.Gaussian(0.02))
    assert "Here" not in first_line(objectives.NegativeElbo())
    assert "one variance for all pixels" in first_line(likelihoods.LearnedGaussian())
