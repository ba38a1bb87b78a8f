"""The scores as `evaluate.py --metrics` gives them: on which images, and whether the map shows what is there."""

import json
import shutil
from importlib import import_module

import numpy as np
import pytest
from PIL import Image

import evaluate
import train
from data.rendered_faces import LevelledFaces
from vae_keras import metrics
from vae_keras.config_file import load_config
from vae_keras.evaluation import EvaluationContext
from vae_keras.evaluation.information import carried_factors, known_about, levelled
from vae_keras.run_data import read_data
from vae_keras.run_folder import Run, read_history
from vae_keras.runs import load_run

disentanglement = import_module("vae_keras.evaluation.disentanglement")


@pytest.fixture(scope="module")
def scored(tiny_run, tmp_path_factory):
    """The tiny run with all scores, on enough faces that every piece has every level."""
    run = Run(shutil.copytree(tiny_run, tmp_path_factory.mktemp("scored") / "a"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(disentanglement, "SCORES", metrics.SCORES)
        patch.setattr(disentanglement, "PIECES", 2)
        assert evaluate.main(["--run", str(run.folder), "--metrics"]) == 0
    return run


def test_every_score_is_in_the_numbers_with_its_error(scored):
    numbers = json.loads(scored.metrics.read_text())["disentanglement"]
    assert {name.split("_")[0] for name in numbers["scores"]} == {name.split("_")[0] for name in metrics.SCORES}
    assert {"dci_disentanglement", "dci_completeness", "dci_informativeness"} < set(numbers["scores"])
    for score in numbers["scores"].values():
        assert np.isfinite(score["value"])
        assert score["standard_error"] >= 0
    assert numbers["images"] == 300
    assert np.shape(numbers["information_shares"]) == (4, 13)
    assert np.asarray(Image.open(scored.figures / "information.png").convert("L")).std() > 10


def test_the_scores_are_of_fresh_faces_none_of_which_the_run_has(scored):
    config = load_config(scored.config)
    data = read_data(config, scored.split)
    images, levels = LevelledFaces(5, config.image_size, config.channels).draw(300)
    fresh = images.digests()
    assert not set(fresh) & set(data.dataset.digests())
    context = EvaluationContext(config, load_run(scored.folder), data, read_history(scored))
    codes = disentanglement.labelled_codes(context).codes
    expected = metrics.mutual_information_gap(codes, levels)
    numbers = json.loads(scored.metrics.read_text())["disentanglement"]
    assert numbers["scores"]["mutual_information_gap"]["value"] == pytest.approx(expected, rel=1e-6)


def test_without_a_choice_the_scores_are_left_to_those_who_ask(evaluated_run):
    assert "disentanglement" not in json.loads(Run(evaluated_run).metrics.read_text())


def test_photographs_without_factors_have_shares_of_their_labels_instead(tmp_path):
    random = np.random.default_rng(0)
    for name, low in (("smile", 0), ("non_smile", 120)):
        (tmp_path / "faces" / name).mkdir(parents=True)
        for index in range(20):
            pixels = random.integers(low, low + 120, (32, 32), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "faces" / name / f"{index}.png")
    run = Run(tmp_path / "run")
    settings = ["--image-size", "32", "--latent-dim", "3", "--epochs", "1", "--batch-size", "16"]
    assert train.main(["--data", str(tmp_path / "faces"), *settings, "--run", str(run.folder)]) == 0
    assert evaluate.main(["--run", str(run.folder), "--metrics"]) == 0
    numbers = json.loads(run.metrics.read_text())
    assert "disentanglement" not in numbers
    assert 0 <= numbers["attributes"]["smile"]["share_in_best_latent"] <= 1


def test_a_latent_that_is_a_factor_carries_all_of_it_and_noise_nothing():
    random = np.random.default_rng(0)
    levels = random.integers(5, size=(4_000, 2))
    codes = np.column_stack([levels[:, 1], random.normal(size=4_000), levels[:, 0] + random.normal(size=4_000)])
    shares = metrics.information_shares(codes, levels)
    assert shares[0, 1] == pytest.approx(1.0, abs=0.01)
    # What counts give too much is taken off: independent ones have about nothing.
    assert shares[1].max() < 0.004
    assert carried_factors(shares, ("smile", "yaw")) == ["yaw", "", "smile"]


def test_levels_are_quantiles_unless_there_are_few_values():
    values = np.random.default_rng(0).exponential(size=1_000)
    np.testing.assert_array_equal(np.bincount(levelled(values)), [200] * 5)
    np.testing.assert_array_equal(levelled(np.array([3.0, -1.0, 3.0])), [1, 0, 1])


def test_what_does_not_vary_is_not_known(tiny_run):
    run = Run(tiny_run)
    dataset = read_data(load_config(run.config), run.split).dataset
    still = dataset._replace(factors=np.where(np.arange(13) == 4, 1.0, dataset.factors))
    known = known_about(still, np.arange(40))
    assert "yaw" not in known.names
    assert known.levels.shape == (40, 12)
    labelled = known_about(dataset._replace(factor_names=(), factors=np.empty((40, 0))), np.arange(40))
    assert set(labelled.names) <= set(dataset.label_names)


def context_of(run, **known):
    """The run's context, as if a table said this of its images."""
    config = load_config(run.config)
    data = read_data(config, run.split)
    return EvaluationContext(
        config, load_run(run.folder), data._replace(dataset=data.dataset._replace(**known)), [], "/somewhere"
    )


def test_a_table_of_factors_is_scored_on_test_images(tiny_run, monkeypatch, caplog):
    context = context_of(Run(tiny_run))
    assert disentanglement.labelled_codes(context) is None
    assert "no disentanglement scores: there are 8 test images, and the scores need 200" in caplog.text
    monkeypatch.setattr(disentanglement, "FEWEST_IMAGES", 5)
    assert len(disentanglement.labelled_codes(context).codes) == len(context.test_images)


def test_one_continuous_factor_among_labels_is_scored_in_levels_together_with_them(tiny_run, monkeypatch, caplog):
    monkeypatch.setattr(disentanglement, "FEWEST_IMAGES", 5)
    random = np.random.default_rng(0)
    age, smile = random.uniform(18, 80, 40), np.arange(40) % 2 == 0
    table = {"factor_names": ("age",), "factors": age[:, None], "label_names": ("smile", "frown", "age", "alike")}
    labels = np.stack([smile, ~smile, age > np.median(age), np.ones(40, bool)], axis=1)
    context = context_of(Run(tiny_run), **table, labels=labels)
    labelled = disentanglement.labelled_codes(context)
    assert labelled.names == ("age", "smile")
    place = context.data.split.test
    assert labelled.levels[:, 1].tolist() == smile[place].tolist()
    # Quantiles: about as many of the eight images in each of five levels, in the order of their age.
    assert sorted(np.bincount(labelled.levels[:, 0])) == [1, 1, 2, 2, 2]
    assert (np.diff(labelled.levels[np.argsort(age[place]), 0]) >= 0).all()
    assert not caplog.records


def test_a_single_factor_and_nothing_else_has_no_scores_and_a_line_says_why(tiny_run, monkeypatch, caplog):
    monkeypatch.setattr(disentanglement, "FEWEST_IMAGES", 5)
    alone = {"factor_names": ("age",), "factors": np.arange(40.0)[:, None]}
    context = context_of(Run(tiny_run), **alone, label_names=("age",), labels=np.arange(40)[:, None] > 19)
    assert disentanglement.disentanglement(context) == ({}, {})
    assert "they compare factors or labels, and only age differs between the test images" in caplog.text


def test_a_single_latent_and_levels_too_rare_to_judge_are_left_without_scores(tiny_run, monkeypatch, caplog):
    run = Run(tiny_run)
    config = load_config(run.config)
    context = EvaluationContext(config, load_run(tiny_run), read_data(config, run.split), read_history(run))
    codes = np.random.default_rng(0).normal(size=(300, 4))
    rare = np.zeros((300, 2), int)
    rare[0] = 1
    monkeypatch.setattr(
        disentanglement, "labelled_codes", lambda context: disentanglement.Labelled(codes, rare, ("jaw", "yaw"))
    )
    assert disentanglement.disentanglement(context) == ({}, {})
    assert "single value" in caplog.text
    monkeypatch.undo()
    monkeypatch.setattr(type(context.vae), "latent_dim", 1)
    assert disentanglement.labelled_codes(context) is None
    assert "they compare latents, and the model has only one" in caplog.text


def test_a_score_that_is_not_finite_is_left_out(tiny_run, monkeypatch):
    run = Run(tiny_run)
    config = load_config(run.config)
    context = EvaluationContext(config, load_run(tiny_run), read_data(config, run.split), read_history(run))
    scores = {**disentanglement.SCORES, "gaussian_total_correlation": metrics.SCORES["gaussian_total_correlation"]}
    monkeypatch.setattr(disentanglement, "SCORES", scores)
    levels = np.random.default_rng(0).integers(3, size=(300, 4))
    codes = np.repeat(levels[:, :2], 2, axis=1).astype(float)
    monkeypatch.setattr(
        disentanglement, "labelled_codes", lambda context: disentanglement.Labelled(codes, levels, tuple("abcd"))
    )
    found = disentanglement.disentanglement(context).numbers["disentanglement"]["scores"]
    assert set(found) == {"mutual_information_gap", "modularity"}
