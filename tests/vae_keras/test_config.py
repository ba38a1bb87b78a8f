import dataclasses

import pytest

from common.errors import UserError
from vae_keras.config import Config
from vae_keras.config_file import load_config, save_config
from vae_keras.likelihoods import Bernoulli, Gaussian
from vae_keras.objectives import BetaVAE, NegativeElbo
from vae_keras.resuming import differences, settings_to_resume


def test_the_defaults_are_the_assignments():
    config = Config().checked()
    assert (config.image_size, config.batch_size, config.lr, config.epochs) == (128, 128, 5e-4, 1000)
    assert (config.data, config.validation) == ("faces:2000", 0.1)
    assert config.build_objective() == NegativeElbo()
    assert config.build_likelihood() == Bernoulli()


def test_defaults_of_the_chosen_parts_are_filled_in():
    config = Config.of(objective="beta_vae", likelihood="gaussian").checked()
    assert (config.options["beta"], config.options["variance"]) == (BetaVAE().beta, Gaussian().variance)
    assert Config.of(objective="beta_vae", beta=7.0).checked().build_objective() == BetaVAE(7.0)


def test_automatic_precision_is_the_architectures_fastest():
    assert Config().checked().precision == "float32"
    assert Config.of(architecture="deep").checked().precision == "bfloat16"
    assert Config.of(architecture="deep", precision="float32").checked().precision == "float32"
    with pytest.raises(UserError, match="unknown precision float23; did you mean float32"):
        Config.of(precision="float23").checked()


@pytest.mark.parametrize(
    ("setting", "flag"),
    [({"shift": -1}, "--shift"), ({"weight_averaging": 0.6}, "0.6 must be 0, or from 1e-06 to 0.5")],
)
def test_values_out_of_range_are_refused(setting, flag):
    with pytest.raises(UserError, match=flag):
        Config.of(**setting).checked()


def test_settings_survive_the_file(tmp_path):
    config = Config.of(data="faces:50", objective="beta_vae", beta=2.0, lr=1e-3).checked()
    save_config(config, tmp_path / "config.json")
    assert load_config(tmp_path / "config.json") == config


@pytest.mark.parametrize("text", ["", "[]", '{"speed": 3}', "{"])
def test_a_file_that_holds_no_settings_is_refused(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(UserError, match="does not hold the settings"):
        load_config(tmp_path / "config.json")


@pytest.mark.parametrize(
    ("name", "value"),
    [("beta", 2.0), ("variance", 0.1)],
)
def test_a_setting_that_nothing_uses_is_an_error_that_says_what_would(name, value):
    with pytest.raises(UserError, match=rf"--{name} is not used by .* or pass --"):
        Config.of(**{name: value}).checked()


def test_differences_name_flag_asked_and_saved():
    saved = dataclasses.replace(Config(), lr=1e-3)
    assert differences(saved, {"lr": 5e-4, "seed": 0}) == ["--lr 0.0005 (the run has 0.001)"]


def test_a_whole_number_in_the_file_is_a_number_like_any_other(tmp_path):
    config = Config.of(data="faces:50", lr=1.0, validation=0.0).checked()
    save_config(config, tmp_path / "config.json")
    text = (tmp_path / "config.json").read_text().replace('"lr": 1.0', '"lr": 1')
    (tmp_path / "config.json").write_text(text)
    assert type(load_config(tmp_path / "config.json").lr) is float


def test_a_run_whose_learning_rate_ends_at_zero_does_not_go_on_with_more_epochs():
    saved = Config.of(schedule="cosine", epochs=5).checked()
    with pytest.raises(
        UserError, match="--epochs 9: with --schedule cosine the learning rate of this run ends at zero"
    ):
        settings_to_resume(saved, {"epochs": 9})
    assert settings_to_resume(saved, {"epochs": 5}) == saved
    assert settings_to_resume(Config.of(epochs=5).checked(), {"epochs": 9}).epochs == 9
