"""What an edit changes: against a decoder and a reader whose answer is known."""

import json

import numpy as np
import pytest

from data.images import Images
from vae_keras import feature_spaces
from vae_keras.config_file import load_config
from vae_keras.evaluation import Evaluation, EvaluationContext
from vae_keras.evaluation.attribute import attribute_sweep
from vae_keras.evaluation.directions import direction_of, quick_direction_of
from vae_keras.evaluation.edits import Changes, changes_of_factors, edited_photographs, edits, faces_to_edit
from vae_keras.run_data import known_attributes, read_data
from vae_keras.run_folder import Run, read_history
from vae_keras.runs import load_run


@pytest.fixture(scope="module")
def loaded(tiny_run):
    run = Run(tiny_run)
    config = load_config(run.config)
    return config, load_run(tiny_run), read_data(config, run.split), read_history(run)


@pytest.fixture
def context(loaded):
    return EvaluationContext(*loaded)


@pytest.fixture
def photographs(context):
    """The same images, as if nothing but their labels were known."""
    return EvaluationContext(context.config, context.vae, context.data, context.history, "a folder", method="means")


class LinearReader:
    """Reads numbers off pictures that are latents: a known matrix times the latents."""

    def __init__(self, matrix):
        self.matrix = matrix

    def factors(self, latents):
        return latents.reshape(len(latents), -1)[:, : len(self.matrix)] @ self.matrix


@pytest.fixture
def linear(monkeypatch):
    """The decoder gives back its latents, and the network is linear in them."""
    reader = LinearReader(np.random.default_rng(0).normal(size=(4, 13)))
    monkeypatch.setattr("vae_keras.evaluation.selectivity.decode_latents", lambda vae, latents: latents)
    monkeypatch.setattr(feature_spaces, "factor_space", lambda channels, cache: reader)
    return reader


def test_the_change_of_each_factor_is_that_of_the_step(context, linear):
    names = context.data.dataset.factor_names
    found = changes_of_factors(context, {"smile": 2.0, "jaw": -1.0}).of_factor
    step = 2 * direction_of(context, "smile").vector - direction_of(context, "jaw").vector
    expected = dict(zip(names, step @ linear.matrix, strict=True))
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-5)
    # The wanted factors are first, then the largest changes.
    wanted, others = list(found)[:2], list(found)[2:]
    assert set(wanted) == {"smile", "jaw"}
    sizes = [abs(found[name]) for name in others]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("strengths", [{"smile": 2.0}, {"smile": -1.0}, {"smile": 2.0, "jaw": -1.0}])
def test_an_edit_is_for_faces_that_lack_what_it_adds_and_have_what_it_removes(context, strengths):
    dataset, test = context.data.dataset, context.data.split.test
    fitting = {
        place
        for place, image in enumerate(test)
        if all(dataset.label(name)[image] == (strength < 0) for name, strength in strengths.items())
    }
    found = faces_to_edit(context, strengths)
    assert 0 < len(fitting) < len(test)
    assert len(found) == len(fitting)
    assert {*found} == fitting


def test_where_no_face_lacks_all_that_is_added_every_face_is_edited(context, monkeypatch):
    monkeypatch.setattr(type(context.data.dataset), "label", lambda dataset, name: np.ones(len(dataset.names), bool))
    assert sorted(faces_to_edit(context, {"smile": 1.0})) == [*range(len(context.data.split.test))]


def test_the_faces_that_are_shown_and_measured_are_those_to_edit(context, linear, monkeypatch):
    decoded = []
    spied = lambda vae, latents: decoded.append(latents) or latents  # noqa: E731
    monkeypatch.setattr("vae_keras.evaluation.selectivity.decode_latents", spied)
    monkeypatch.setattr("vae_keras.evaluation.selectivity.CHOOSING", 0)  # no method is compared
    expected = context.test_posterior.mean[faces_to_edit(context, {"smile": 2.0})]
    changes_of_factors(context, {"smile": 2.0})
    np.testing.assert_array_equal(decoded[0], expected)
    shown = attribute_sweep(context, "smile").numbers["attributes"]["smile"]["images"]
    assert shown == context.test_names(faces_to_edit(context, {"smile": 2.0})[:6])


def test_every_edit_is_in_the_numbers_and_the_figure(context, linear):
    evaluation = edits(context)
    numbers = evaluation.numbers["edits"]
    assert list(numbers) == known_attributes(context.data)
    for name, edit in numbers.items():
        assert edit["strength"] == 2.0
        assert next(iter(edit["change"])) == name
        assert edit["change"] == changes_of_factors(context, {name: 2.0}).of_factor
        assert edit["change"] == edit["by_method"][edit["direction"]]
        assert {"means", "logistic"} <= edit["by_method"].keys()
    json.dumps(numbers)
    assert list(evaluation.figures) == ["edits.png"]


def test_the_sentence_begins_with_what_was_wanted():
    told = Changes({"smile": 1.26, "jaw_line": -0.5, "yaw": 0.2, "hair": 0.1, "skin": 0.0}).in_words()
    assert told.startswith("smile +1.3; ")
    assert "jaw line -0.5, yaw +0.2, hair +0.1 (" in told


def test_without_known_factors_there_are_no_edits(photographs):
    assert edits(photographs) == Evaluation({}, {})
    assert changes_of_factors(photographs, {"smile": 2.0}) is None


def test_edited_photographs_are_counted_by_a_network_that_has_learnt_the_attribute(photographs, context, monkeypatch):
    dataset, split = context.data.dataset, context.data.split
    vector = direction_of(photographs, "smile").vector
    unit = vector / np.linalg.norm(vector)

    class Space:
        """Smiling is the projection on the direction; the features are the latents."""

        regressor = type("Network", (), {"layers": [type("Layer", (), {"kernel": unit[:, None]})]})

        def factors(self, images):
            if isinstance(images, Images):  # test images: their label
                known = {image.tobytes(): label for image, label in zip(dataset.images.all(), labels, strict=True)}
                return np.array([[1.0 if known[image.tobytes()] else -1.0] for image in images.all()])
            return (images @ unit)[:, None]

        def features(self, images):
            return images

    labels = dataset.label("smile")
    learnt = []
    monkeypatch.setattr(feature_spaces, "label_space", lambda images, label: learnt.append((images, label)) or Space())
    monkeypatch.setattr("vae_keras.evaluation.selectivity.decode_latents", lambda vae, latents: latents)
    found = edited_photographs(photographs, "smile", (-50.0, 0.0, 50.0))
    # It learns from the train images alone.
    np.testing.assert_array_equal(learnt[0][0].all(), dataset.images.all()[split.train])
    np.testing.assert_array_equal(learnt[0][1], labels[split.train])
    assert found["accuracy"] == 1.0
    assert found["images"] == sum(~labels[split.test])
    assert (found["share"][0], found["share"][2]) == (0.0, 1.0)
    # The edit moves only what the network reads the attribute off.
    assert found["distance"] == pytest.approx([0, 0, 0], abs=1e-3)
    assert edited_photographs(context, "smile", (1.0,)) is None


def test_the_explorer_trains_no_network_to_choose_a_direction_for_photographs(loaded, monkeypatch):
    monkeypatch.setattr(feature_spaces, "label_space", None)
    photographs = EvaluationContext(*loaded, "a folder")
    assert quick_direction_of(photographs, "smile").method == "means"
    photographs.best_methods["smile"] = "logistic"  # as an earlier evaluation has found
    assert quick_direction_of(photographs, "smile").method == "logistic"


def test_the_caption_of_a_sweep_tells_what_was_measured(photographs, context, linear, monkeypatch):
    told = attribute_sweep(context, "smile").figures["attribute_smile.png"].get_supxlabel()
    assert "at +2 the edit changes smile" in " ".join(told.split())
    bars = attribute_sweep(context, "smile").figures["attribute_smile.png"].axes[1]
    heights = [bar.get_height() for bar in bars.patches]
    assert heights == list(changes_of_factors(context, {"smile": 2.0}).of_factor.values())
    assert bars.get_xticklabels()[0].get_text() == "smile"
    measured = {"accuracy": 0.9, "strengths": [1.0, 2.0], "share": [0.4, 0.8], "distance": [0.2, 0.5] * 4, "images": 7}
    monkeypatch.setattr("vae_keras.evaluation.attribute.edited_photographs", lambda *arguments: measured)
    evaluation = attribute_sweep(photographs, "smile")
    told = " ".join(evaluation.figures["attribute_smile.png"].get_supxlabel().split())
    assert "40% at +1, 80% at +2 of 7 edited faces" in told
    assert evaluation.numbers["edited_photographs"] == {"smile": measured}
