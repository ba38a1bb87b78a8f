"""The schema of metrics.json: what is written can be read, and what is not a record is refused in one line."""

import json

import pytest

from common.errors import UserError
from vae_keras.evaluation.record import FORMAT, read_record, record_about
from vae_keras.run_folder import Run


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


def test_a_file_of_an_evaluation_is_a_record_with_its_format(evaluated_run):
    run = Run(evaluated_run)
    assert read_record(run) == json.loads(run.metrics.read_text())
    assert read_record(run)["format"] == FORMAT


def test_a_file_without_a_format_is_read_and_gets_one(run):
    run.metrics.write_text('{"data": "faces:40", "epoch": 3, "latents": {"kl": [1.0], "mean_std": [1]}}')
    record = read_record(run)
    assert record["latents"]["kl"] == [1.0]
    assert record_about(record, "faces:40", 3) == {**record, "format": FORMAT}
    assert record_about(record, "faces:40", 4) == {"data": "faces:40", "epoch": 4, "format": FORMAT}


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
