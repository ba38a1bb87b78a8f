import json

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from vae_keras.config import load_config
from vae_keras.latent import encode_images
from vae_keras.results import merged
from vae_keras.run_data import read_data
from vae_keras.runs import Run, load_run


def test_every_exhibit_is_a_figure_that_shows_something(evaluated_run):
    names = {path.stem for path in Run(evaluated_run).figures.iterdir()}
    assert names == {
        "dataset", "curves", "reconstructions", "samples", "interpolation_spherical", "attribute_smile",
    }  # fmt: skip
    for path in Run(evaluated_run).figures.iterdir():
        pixels = np.asarray(Image.open(path).convert("L"))
        assert min(pixels.shape) > 300
        assert pixels.std() > 10


def test_numbers_on_the_test_images_are_complete_and_consistent(evaluated_run):
    test = json.loads(Run(evaluated_run).metrics.read_text())["test"]
    assert set(test) == {"elbo", "reconstruction_nll", "kl", "psnr", "ssim", "active_units", "images"}
    assert test["elbo"] == pytest.approx(-test["reconstruction_nll"] - test["kl"], rel=1e-6)
    assert test["images"] == 8


def test_the_direction_is_fitted_on_train_and_judged_on_test(evaluated_run):
    run = Run(evaluated_run)
    data, vae = read_data(load_config(run.config), run.split), load_run(evaluated_run)
    label = data.dataset.label("smile")
    train, test = (encode_images(vae, data.dataset.images[part]).mean for part in (data.split.train, data.split.test))
    on_train, on_test = label[data.split.train], label[data.split.test]
    direction = train[on_train].mean(0) - train[~on_train].mean(0)
    shown = json.loads(run.metrics.read_text())["attributes"]["smile"]
    assert shown["auc"] == pytest.approx(roc_auc_score(on_test, test @ direction))
    assert shown["length"] == pytest.approx(np.linalg.norm(direction), rel=1e-5)
    names = [data.dataset.names[index] for index in data.split.test]
    assert set(shown["images"]) <= {name for name, has in zip(names, on_test, strict=True) if not has}


def test_numbers_of_a_later_evaluation_join_those_of_an_earlier_one():
    old = {"test": {"elbo": 1.0}, "attributes": {"smile": {"auc": 0.9}}}
    new = {"attributes": {"jaw": {"auc": 0.7}}, "test": {"elbo": 2.0}}
    assert merged(old, new) == {
        "test": {"elbo": 2.0},
        "attributes": {"smile": {"auc": 0.9}, "jaw": {"auc": 0.7}},
    }
