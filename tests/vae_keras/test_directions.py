"""Directions of attributes: what each method promises, which one is taken, and how a run keeps them."""

import json
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

import evaluate
import vae_keras
from common.errors import UserError
from vae_keras import directions as directions_module
from vae_keras.directions import METHODS, Directions, SavedDirections, read_directions, write_directions
from vae_keras.evaluation import EvaluationContext
from vae_keras.evaluation import directions as chosen
from vae_keras.evaluation.selectivity import Effect, effects
from vae_keras.latent import attribute_direction, encode_images
from vae_keras.run_folder import Run


def fitted(means, **labels):
    return Directions(lambda: means, labels)


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


@pytest.fixture(scope="module")
def correlated():
    """Codes of three labels, two of which often agree: their shifts, their labels and the codes, with other noise."""
    random = np.random.default_rng(0)
    smile = random.random(6_000) < 0.5
    lipstick = np.where(random.random(6_000) < 0.8, smile, ~smile)
    hat = random.random(6_000) < 0.3
    shifts = random.normal(size=(3, 6))
    noise = random.normal(size=(6_000, 6)) @ random.normal(size=(6, 6))
    return np.stack([smile, lipstick, hat], axis=1) @ shifts + noise, {"smile": smile, "lipstick": lipstick, "hat": hat}


def test_logistic_weights_are_those_of_discriminant_analysis_where_both_classes_are_gaussian():
    random = np.random.default_rng(1)
    label = np.arange(20_000) % 2 == 1
    means = random.normal(size=(20_000, 4)) @ random.normal(size=(4, 4)) + np.outer(label, [1, 0.5, -1, 0])
    expected = LinearDiscriminantAnalysis().fit(means, label).coef_[0]
    found = fitted(means, a=label).vector("a", "logistic")
    assert cosine(found, expected) > 0.995
    assert cosine(found, attribute_direction(means, label)) < 0.95


@pytest.mark.parametrize("method", ["logistic", "orthogonal"])
def test_one_step_moves_the_log_odds_as_far_as_the_class_means_are_apart(correlated, method):
    means, labels = correlated
    directions = fitted(means, **labels)
    for name, label in labels.items():
        weights = directions.weights(name)
        assert weights @ directions.vector(name, method) == pytest.approx(weights @ attribute_direction(means, label))


def test_an_orthogonal_step_leaves_the_log_odds_of_other_labels_as_they_are(correlated):
    means, labels = correlated
    directions = fitted(means, **labels)
    for name in labels:
        step = directions.vector(name, "orthogonal")
        for other in labels.keys() - {name}:
            assert directions.weights(other) @ step == pytest.approx(0, abs=1e-9)
            # The plain steps do move them: smile and lipstick often agree.
    plain = directions.vector("smile", "means") @ directions.weights("lipstick")
    assert abs(plain) > 0.5


@given(st.integers(0, 10_000), st.integers(2, 8), st.integers(1, 5))
def test_every_vector_points_towards_its_attribute_and_is_finite(seed, latents, count):
    random = np.random.default_rng(seed)
    means = random.normal(size=(60, latents)) * random.choice([1e-6, 0.3, 5.0], latents)
    labels = {f"a{k}": np.roll(np.arange(60) < random.integers(1, 60), random.integers(60)) for k in range(count)}
    directions = fitted(means, **labels)
    for name, label in labels.items():
        for method in METHODS:
            vector = directions.vector(name, method)
            if vector is not None:
                assert vector.shape == (latents,)
                assert np.isfinite(vector).all()
                score = vector if method in ("means", "latent") else directions.weights(name)
                assert score @ vector >= 0
                assert score @ vector == pytest.approx(score @ attribute_direction(means, label), rel=1e-6, abs=1e-9)


def test_a_single_latent_is_a_direction_only_where_it_carries_the_label():
    random = np.random.default_rng(0)
    label = random.random(2_000) < 0.4
    means = random.normal(size=(2_000, 5))
    assert fitted(means, a=label).vector("a", "latent") is None
    means[:, 3] = np.where(label, -2.0, 1.0) + 0.1 * random.normal(size=2_000)
    vector = fitted(means, a=label).vector("a", "latent")
    assert list(np.flatnonzero(vector)) == [3]
    assert vector[3] == pytest.approx(-3.0, abs=0.02)


def test_a_label_and_its_opposite_are_one_attribute():
    random = np.random.default_rng(0)
    means = random.normal(size=(200, 4))
    smile = means[:, 0] + random.normal(size=200) > 0
    assert fitted(means, smile=smile, non_smile=~smile).vector("smile", "orthogonal") is None
    assert fitted(means, smile=smile).vector("smile", "orthogonal") is None


def test_labels_that_span_the_whole_space_leave_no_orthogonal_direction():
    random = np.random.default_rng(0)
    means = random.normal(size=(300, 3))
    labels = {f"a{k}": means @ random.normal(size=3) > 0 for k in range(6)}
    assert all(fitted(means, **labels).vector(name, "orthogonal") is None for name in labels)


def context_with(effects_of, monkeypatch):
    """A context with one attribute, whose methods have these effects."""
    means = np.random.default_rng(0).normal(size=(40, 3))
    context = type(
        "Context", (), {"method": None, "best_methods": {}, "directions": fitted(means, smile=means[:, 0] > 0)}
    )
    monkeypatch.setattr(chosen, "_check_has_direction", lambda context, name: None)
    monkeypatch.setattr(chosen, "effects", lambda context, name, vectors: effects_of)
    return context


@pytest.mark.parametrize(
    ("effects_of", "best"),
    [
        ({"means": Effect(2.0, 1.5), "logistic": Effect(1.9, 0.5)}, "logistic"),
        ({"means": Effect(2.0, 0.4), "logistic": Effect(1.9, 0.5)}, "means"),
        # An edit that hardly changes anything is not selective.
        ({"means": Effect(2.0, 1.5), "logistic": Effect(0.2, 0.01)}, "means"),
        # Where no edit does what is wanted, or nothing can be measured, class means are as good as any.
        ({"means": Effect(-0.1, 1.5), "logistic": Effect(-0.2, 0.1)}, "means"),
        ({}, "means"),
    ],
)
def test_the_best_method_is_the_most_selective_of_those_that_change_enough(effects_of, best, monkeypatch):
    assert chosen.best_method(context_with(effects_of, monkeypatch), "smile") == best


@pytest.fixture
def run(tiny_run, tmp_path):
    return Run(shutil.copytree(tiny_run, tmp_path / "a", ignore=shutil.ignore_patterns("figures", "metrics.json")))


def test_a_run_keeps_its_directions_and_the_next_evaluation_reads_them(run, monkeypatch):
    with pytest.raises(UserError, match="no directions are saved"):
        vae_keras.saved_directions(run.folder)
    assert evaluate.main(["--run", str(run.folder), "--edits"]) == 0
    edits = json.loads(run.metrics.read_text())["edits"]
    saved = vae_keras.saved_directions(run.folder)
    vectors = read_directions(run).vectors
    assert saved.keys() <= edits.keys()
    for name, vector in saved.items():
        np.testing.assert_array_equal(vector, vectors[name][edits[name]["direction"]])
    monkeypatch.setattr(directions_module, "LogisticRegression", None)
    before = run.directions.read_bytes()
    assert evaluate.main(["--run", str(run.folder), "--edits"]) == 0
    assert json.loads(run.metrics.read_text())["edits"] == edits
    assert run.directions.read_bytes() == before


def test_an_edit_of_a_picture_writes_the_picture_alone(run, tmp_path):
    picture, output = tmp_path / "face.png", tmp_path / "edited.png"
    Image.fromarray(np.full((32, 32, 3), 128, np.uint8)).save(picture)
    before = {path.name for path in run.folder.iterdir()}
    assert evaluate.main(["--run", str(run.folder), "--edit", str(picture), "smile=+2", "--output", str(output)]) == 0
    assert output.exists()
    assert {path.name for path in run.folder.iterdir()} == before


def test_the_user_can_choose_the_method(run, capsys):
    assert evaluate.main(["--run", str(run.folder), "--attribute", "smile", "--direction", "means"]) == 0
    assert json.loads(run.metrics.read_text())["attributes"]["smile"]["direction"] == "means"
    assert not run.directions.exists()
    assert evaluate.main(["--run", str(run.folder), "--direction", "mean"]) == 2
    assert "means" in capsys.readouterr().err
    assert evaluate.main(["--run", str(run.folder), "--attribute", "smile", "--direction", "latent"]) == 2
    assert "--direction" in capsys.readouterr().err


SAVED = SavedDirections(
    {"smile": {"means": np.arange(4.0), "latent": None}, "a\udc80 b": {"means": -np.ones(4)}}, {"smile": "means"}
)


def test_what_is_saved_is_read_back(run):
    write_directions(run, SAVED, "images")
    read = read_directions(run, "images")
    assert read.best == SAVED.best
    assert {(name, method) for name, found in read.vectors.items() for method in found} == {
        ("smile", "means"), ("smile", "latent"), ("a\udc80 b", "means"),
    }  # fmt: skip
    assert read.vectors["smile"]["latent"] is None
    np.testing.assert_array_equal(read.vectors["a\udc80 b"]["means"], -np.ones(4))
    assert read_directions(run, "other images") is None
    with run.model.open("ab") as model:
        model.write(b"\0")
    assert read_directions(run) is None


def damaged(**changes):
    def damage(path):
        with np.load(path, allow_pickle=False) as saved:
            arrays = dict(saved)
        np.savez(path, **(arrays | changes))

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-40]),
        lambda path: path.write_bytes(b"no archive"),
        damaged(vectors=np.full((3, 4), np.inf)),
        damaged(methods=np.array(["means"])),
        damaged(best=np.array(["latent"])),
        damaged(attributes=np.array([object()])),
    ],
)
def test_damaged_directions_are_refused(run, damage):
    write_directions(run, SAVED, "images")
    damage(run.directions)
    with pytest.raises(UserError, match=r"directions\.npz is damaged .*; remove it and evaluate again"):
        read_directions(run)


def test_the_faces_that_choose_a_method_are_not_those_it_was_fitted_to(tiny_run, monkeypatch):
    context: EvaluationContext = evaluate.open_context(Run(tiny_run), evaluate.load_config(Run(tiny_run).config))
    seen = []

    def encode(vae, images):
        seen.append(images.all())
        return encode_images(vae, images)

    monkeypatch.setattr("vae_keras.evaluation.selectivity.encode_images", encode)
    found = effects(context, "smile", {"means": context.directions.vector("smile", "means")})
    validation = context.data.dataset.images.all()[context.data.split.validation]
    assert {image.tobytes() for image in seen[0]} <= {image.tobytes() for image in validation}
    assert np.isfinite(found["means"]).all()
