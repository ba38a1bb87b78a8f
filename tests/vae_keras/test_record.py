"""The schema of metrics.json: what is written can be read, and what is not a record is refused in one line."""

import json
import math

import pytest

from common.errors import UserError
from vae_keras.evaluation.record import FORMAT, finite, read_record, record_about
from vae_keras.run_folder import Run


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


def test_a_file_of_an_evaluation_is_a_record_with_its_format(evaluated_run):
    run = Run(evaluated_run)
    assert read_record(run) == json.loads(run.metrics.read_text())
    assert read_record(run)["format"] == FORMAT


INPUTS = {"model": "m", "images": "i", "labels": "l", "history": "h"}
# For each section whose inputs are fewer than the model, the images and the labels: an example, and its inputs.
SECTIONS = {
    "latents": ({"kl": [1.0], "mean_std": [1.0]}, {"model", "images"}),
    "curves": ({"epochs": 3, "best_epoch": 2}, {"history"}),
    "dataset": ({"parts": {}, "labels": {}}, {"model", "images", "labels"}),
    "additional": ({"mine": 1.0}, {"model", "images", "labels"}),
}


def test_a_file_without_inputs_is_read_and_its_sections_are_stale(run):
    run.metrics.write_text('{"data": "faces:40", "epoch": 3, "latents": {"kl": [1.0], "mean_std": [1]}}')
    record = read_record(run)
    assert record["latents"]["kl"] == [1.0]
    about = {"format": FORMAT, "data": "faces:40", "epoch": 3, "inputs": INPUTS}
    assert record_about(record, "faces:40", 3, INPUTS) == (about, ["latents"])


@pytest.mark.parametrize("changed", INPUTS)
def test_the_sections_that_depend_on_a_changed_input_are_stale(changed):
    sections = {name: section for name, (section, _) in SECTIONS.items()}
    about = {"format": FORMAT, "data": "a", "epoch": 3, "inputs": INPUTS}
    now = {**INPUTS, changed: "other"}
    record, stale = record_about({**about, **sections}, "a", 3, now)
    expected = [name for name, (_, inputs) in SECTIONS.items() if changed in inputs]
    assert stale == expected
    assert record == {**about, "inputs": now, **{name: sections[name] for name in sections if name not in expected}}


def test_a_number_that_is_not_finite_is_left_out_with_its_section():
    good = {"format": 3, "latents": {"kl": [1.0], "mean_std": [0.5]}, "additional": {"mine": 1.0}}
    bad = {"test": {"psnr": math.inf}, "attributes": {"a": {"auc": 0.5}, "b": {"auc": math.nan}}}
    assert finite(good | bad) == (good, ["test", "attributes"])
    assert finite(good | {"additional": {"mine": 1.0, "other": -math.inf}}) == (good, ["other"])


def test_records_about_other_images_are_kept_while_the_model_is_the_same(run):
    first = {"data": "a", "epoch": 3, "inputs": INPUTS, "latents": SECTIONS["latents"][0]}
    second = {"data": "b", "epoch": 3, "inputs": {**INPUTS, "images": "j", "labels": "k"}}
    moved, stale = record_about({"format": FORMAT, **first}, "b", 3, second["inputs"])
    assert (moved, stale) == ({"format": FORMAT, **second, "others": {"a": first}}, [])
    run.metrics.write_text(json.dumps(moved))
    assert read_record(run) == moved
    assert record_about(moved, "a", 3, INPUTS) == ({"format": FORMAT, **first}, [])
    # Stale there, too: other labels of the first images, another model
    assert record_about(moved, "a", 3, {**INPUTS, "images": "x"})[1] == ["latents"]
    record, stale = record_about(moved, "b", 4, {**second["inputs"], "model": "n"})
    assert stale == ["latents of a"]
    curves = {**first, "curves": SECTIONS["curves"][0]}
    moved = record_about({"format": FORMAT, **curves}, "b", 3, second["inputs"])[0]
    assert record_about(moved, "b", 3, {**second["inputs"], "history": "longer"})[1] == ["curves of a"]
    assert "others" not in record


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "Expecting property name"),
        ("[]", "'list' object"),
        ('{"test": 3}', r"Expected `object`, got `int` - at `\$.test`"),
        ('{"latents": {"kl": [1.0]}}', "missing required field `mean_std`"),
        ('{"latents": {"kl": ["1"], "mean_std": []}}', r"Expected `float`, got `str` - at `\$.latents.kl"),
    ],
)
def test_a_file_that_is_no_record_is_refused_with_the_place(run, text, reason):
    run.metrics.write_text(text)
    with pytest.raises(UserError, match=f"is damaged .*{reason}.*; remove it and evaluate again"):
        read_record(run)


@pytest.mark.parametrize("number", [0, FORMAT + 1, "2"])
def test_a_file_of_an_unknown_format_is_refused(run, number):
    run.metrics.write_text(json.dumps({"format": number}))
    with pytest.raises(UserError, match=f"has format {number}, this version reads formats 1 to {FORMAT}"):
        read_record(run)
