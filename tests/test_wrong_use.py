"""Every wrong use ends with one line that names the mistake and with exit status 2, and changes no file."""

import errno
import itertools
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import evaluate
import train
from tests.support import ROOT, TINY, script


def typed(value):
    """The identifier of a case: what the user typed, shortened."""
    return " ".join(value)[:60] if isinstance(value, list) else ""


# The first line of each kind has the words of its message; the others name the flag, the value or the remedy.
TRAINING = [
    (["--epochs", "0"], "--epochs 0 must be from 1 to 1000000"),
    (["--epochs", "-3"], "--epochs -3 "),
    (["--epochs", "many"], "invalid int value: 'many'"),
    (["--lr", "0"], "--lr 0.0 "),
    (["--lr", "nan"], "--lr nan "),
    (["--batch-size", "0"], "--batch-size 0"),
    (["--latent-dim", "-1"], "--latent-dim -1"),
    (["--seed", "-1"], "--seed -1 "),
    (["--seed", "99999999999999999999"], "--seed 99999999999999999999 "),
    (["--lr", "inf"], "--lr inf "),
    (["--shift", "3000000000"], "--shift 3000000000 "),
    (["--shift", "40", "--image-size", "32"], "moves images of --image-size 32 out of view; pass at most 31"),
    (["--batch-size", "99999999999999999999"], "--batch-size 99999999999999999999 "),
    (["--objective", "beta_vae", "--beta", "1e38"], "--beta 1e+38 "),
    (["--objective", "annealed_vae", "--capacity", "1e39"], "--capacity 1e+39 "),
    (["--likelihood", "gaussian", "--variance", "1e-300"], "--variance 1e-300 "),
    (["--weight-decay", "1e9"], "--weight-decay 1000000000.0 "),
    (["--weight-decay", "1e4"], "--weight-decay 10000 times --lr 0.0005 is 5; lower one of them"),
    (["--data", f"faces:{9999 * '9'}"], "10 to 1000000"),
    (["--data", ""], "no folder"),
    (["--validation", "0.9"], "--validation 0.9 must be from 0 to below 0.8"),
    (["--channels", "2"], "--channels 2 must be 1 (grey) or 3 (RGB)"),
    (["--image-size", "100"], "--image-size 100 must be a multiple of 16 from 32 to 2048"),
    (["--image-size", "16"], "--image-size 16 "),
    (["--architecture", "tabel"], "unknown architecture tabel; did you mean table?"),
    (["--objective", "betavae"], "beta_vae"),
    (["--likelihood", "gausian"], "gaussian"),
    (
        ["--beta", "4"],
        "--beta is not used by --objective vae; leave it out or pass --objective beta_vae or beta_tc_vae",
    ),
    (["--capacity", "4"], "--objective annealed_vae"),
    (["--objective", "factor_vae", "--beta", "4"], "--objective factor_vae"),
    (["--objective", "beta_vae", "--gamma", "4"], "--gamma"),
    (["--objective", "beta_tc_vae", "--warm-up", "4"], "--warm-up"),
    (
        ["--objective", "beta_tc_vae", "--estimator", "stratifed"],
        "did you mean stratified?",
    ),
    (["--objective", "annealed_vae", "--capacity", "-1"], "--capacity -1.0 "),
    (
        ["--objective", "beta_vae", "--warm-up", "30", "--epochs", "20"],
        "--warm-up 30 is longer than the run, --epochs 20; pass as many epochs or fewer",
    ),
    (["--objective", "beta_vae", "--beta", "-1"], "--beta -1.0 "),
    (["--variance", "1"], "--likelihood bernoulli"),
    (
        ["--likelihood", "learned_gaussian", "--variance", "1"],
        "--likelihood learned_gaussian",
    ),
    (["--dropout", "0.1"], "--architecture deep"),
    (["--hidden-size", "64"], "--hidden-size"),
    (["--data", 300 * "x"], "no folder xxx"),
    (["--no-batch-normalization"], "--no-batch-normalization"),
    (["--batch-normalization"], "--batch-normalization"),
    (["--architecture", "deep", "--dropout", "1"], "--dropout 1.0 "),
    (["--architecture", "deep", "--hidden-size", "0"], "--hidden-size 0 "),
    (["--data", "olivetty"], "did you mean olivetti?"),
    (["--epohcs", "3"], "unknown argument --epohcs; did you mean --epochs?"),
    (["--lr", "1", "--epochs", "2", "--lr", "0.5"], "--lr is given twice, with 1.0 and 0.5; give it once"),
    (["--data", "face:100"], "did you mean faces"),
    (["--data", "faces:5"], "faces:5"),
    (["--data", "absent"], "no folder absent"),
    (["--data", "empty"], "no images in"),
    (["--data", "image.png"], "is a file, not a folder"),
    (["--data", "few", "--image-size", "32"], "3 images are too few to split"),
    (["--data", "broken"], "cannot be decoded, such as"),
    (["--run", "taken"], "exists and is not a run"),
    (["--run", "image.png"], "exists and is not a run"),
    (["--resume", "--run", "absent"], "no run absent"),
    (["--resume", "--run", "empty"], "empty is not a run"),
    (["--resume"], "no runs in runs"),
]

EVALUATION = [
    (["--run", "absent"], "no run absent"),
    (["--run", "empty"], "empty is not a run"),
    ([], "no runs in runs"),
    (["--reconstuct"], "did you mean --reconstruct?"),
    (["--attribute", "smile", "--attribute", "jaw"], "--attribute is given twice, with smile and jaw; give it once"),
    (["--pdf"], "--pdf prints the report; pass --report, too"),
    (["--pdf", "--metrics"], "--pdf prints the report; pass --report, too"),
]


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A folder with an empty folder, a few images, damaged images, a folder that is not a run, and an image."""
    monkeypatch.chdir(tmp_path)
    for name in ("empty", "few", "broken", "taken"):
        (tmp_path / name).mkdir()
    (tmp_path / "taken" / "thesis.tex").touch()
    image = Image.new("L", (32, 32), 128)
    image.save(tmp_path / "image.png")
    for index in range(3):
        image.save(tmp_path / "few" / f"{index}.png")
        (tmp_path / "broken" / f"{index}.png").write_text("no image")
    return tmp_path


def everything_in(folder):
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def assert_one_line(capsys, expected):
    output = capsys.readouterr()
    assert output.err.count("\n") == 1, output.err
    assert expected in output.err
    assert "Traceback" not in output.err


@pytest.mark.parametrize(("arguments", "expected"), TRAINING, ids=typed)
def test_wrong_use_of_train_is_one_line(workplace, capsys, arguments, expected):
    before = everything_in(workplace)
    assert train.main(arguments) == 2
    assert_one_line(capsys, expected)
    assert everything_in(workplace) == before


@pytest.mark.parametrize(("arguments", "expected"), EVALUATION, ids=typed)
def test_wrong_use_of_evaluate_is_one_line(workplace, capsys, arguments, expected):
    before = everything_in(workplace)
    assert evaluate.main(arguments) == 2
    assert_one_line(capsys, expected)
    assert everything_in(workplace) == before


@pytest.fixture
def copied_run(tiny_run, workplace):
    shutil.copytree(tiny_run, workplace / "run", ignore=shutil.ignore_patterns("figures", "metrics.json", "report.*"))
    return workplace / "run"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--run", "run"], "run is a run already; pass --resume"),
        (["--run", "run", "--resume", "--lr", "0.1", "--seed", "4"], "--lr 0.1 (the run has 0.0005), --seed 4"),
        (["--run", "run", "--resume", "--objective", "beta_vae"], "--objective beta_vae (the run has vae)"),
        (["--run", "run", "--resume", "--beta", "2"], "--beta 2.0 (the run has None)"),
        (["--run", "run", "--resume", "--data", "faces:50"], "--data faces:50 (the run has faces:40)"),
        (["--run", "run", "--resume", "--epochs", "1"], "--epochs 1 (the run has 3)"),
    ],
)
def test_a_run_is_not_trained_with_other_settings(copied_run, workplace, capsys, arguments, expected):
    before = everything_in(workplace)
    assert train.main(arguments) == 2
    assert_one_line(capsys, expected)
    assert everything_in(workplace) == before


def test_an_incomplete_run_is_not_evaluated(copied_run, capsys):
    (copied_run / "model.keras").unlink()
    assert evaluate.main(["--run", "run"]) == 2
    assert_one_line(capsys, "run is incomplete: no epoch is finished")


@pytest.mark.parametrize("name", ["config.json", "split.json", "history.csv", "metrics.json", "model.keras"])
def test_a_damaged_run_is_not_evaluated(copied_run, workplace, capsys, name):
    (copied_run / name).write_text("epoch,elbo\n1,two\n")
    before = everything_in(workplace)
    assert evaluate.main(["--run", "run", "--metrics"]) == 2
    assert_one_line(capsys, name)
    assert everything_in(workplace) == before


def test_a_run_without_its_checkpoints_is_not_overwritten(copied_run, workplace, capsys):
    shutil.rmtree(copied_run / "checkpoints")
    before = everything_in(workplace)
    assert train.main(["--run", "run", "--resume"]) == 2
    assert_one_line(capsys, "history.csv has 3 epochs, run/checkpoints only 0; train a new run")
    assert everything_in(workplace) == before


def test_a_resume_that_fails_leaves_the_run_as_it_was(copied_run, workplace, capsys):
    (copied_run / "checkpoints" / "epoch-0003.keras").write_bytes(b"PK")
    before = everything_in(workplace)
    assert train.main(["--run", "run", "--resume", "--epochs", "9"]) == 2
    assert_one_line(capsys, "epoch-0003.keras cannot be loaded")
    assert everything_in(workplace) == before


def test_metrics_without_sections_are_damaged(copied_run, capsys):
    (copied_run / "metrics.json").write_text('{"data": "faces:40", "epoch": 3, "test": 3}')
    assert evaluate.main(["--run", "run", "--sample"]) == 2
    assert_one_line(
        capsys, "metrics.json is damaged (Expected `object`, got `int` - at `$.test`); remove it and evaluate again"
    )


@pytest.mark.parametrize("history", [None, "", "epoch,loss,elbo,reconstruction_nll,kl\n"])
def test_without_history_everything_but_the_curves_is_made_and_a_line_says_so(copied_run, workplace, capsys, history):
    (copied_run / "history.csv").unlink()
    if history is not None:
        (copied_run / "history.csv").write_text(history)
    before = everything_in(workplace)
    assert evaluate.main(["--run", "run", "--curves"]) == 2
    output = capsys.readouterr().err
    assert "no history.csv" in output.splitlines()[-1]
    assert everything_in(workplace) == before
    chosen = [] if history is None else ["--reconstruct"]  # everything once
    assert evaluate.main(["--run", "run", *chosen]) == 0
    assert "run/history.csv has 0 epochs, fewer than the model" in capsys.readouterr().err.splitlines()[0]
    drawn = {path.name for path in (copied_run / "figures").iterdir()}
    assert "reconstructions.png" in drawn
    assert "curves.png" not in drawn


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"batch_size": 0}, "--batch-size 0 "),
        ({"validation": 7.0}, "--validation 7.0 "),
        ({"validation": 7}, "--validation 7.0 "),
        ({"epochs": True}, "epochs is True"),
        ({"seed": 1.0}, "seed is 1.0"),
        ({"lr": float("nan")}, "NaN is no number"),
        ({"objective": "vaee"}, "vaee"),
        ({"beta": 3.0}, "--beta"),
        ({"shift": 32}, "out of view"),
    ],
    ids=str,
)
@pytest.mark.parametrize("command", [[train.main, "--resume"], [evaluate.main, "--sample"]], ids=["train", "evaluate"])
def test_saved_settings_have_the_ranges_of_the_command_line(copied_run, workplace, capsys, changed, expected, command):
    main, *arguments = command
    saved = json.loads((copied_run / "config.json").read_text())
    (copied_run / "config.json").write_text(json.dumps({**saved, **changed}))
    before = everything_in(workplace)
    assert main(["--run", "run", *arguments]) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "run/config.json" in line
    assert expected in line
    assert everything_in(workplace) == before


@pytest.mark.parametrize(("one", "other"), list(itertools.permutations(["train", "validation", "test"], 2)))
@pytest.mark.parametrize("command", [[train.main, "--resume"], [evaluate.main, "--sample"]], ids=["train", "evaluate"])
def test_a_saved_split_with_an_image_in_two_parts_is_an_error(copied_run, workplace, capsys, one, other, command):
    main, *arguments = command
    saved = json.loads((copied_run / "split.json").read_text())
    shared = saved[other][0]
    saved[one].append(shared)
    (copied_run / "split.json").write_text(json.dumps(saved))
    before = everything_in(workplace)
    assert (
        main(["--run", "run", "--epochs", "4", *arguments] if main is train.main else ["--run", "run", *arguments]) == 2
    )
    assert_one_line(capsys, f"run/split.json does not hold the split of a run ({shared} occurs twice)")
    assert everything_in(workplace) == before


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--reconstruct", "--attribute", "smiel"], "unknown attribute smiel; did you mean smile?"),
        (["--reconstruct", "--interpolate", "sphericl"], "spherical"),
        (["--metrics", "--data", "absent"], "no folder absent"),
        (["--metrics", "--data", ""], "no folder"),
        (["--reconstruct", "--latent-map", "jow"], "jaw"),
        (["--reconstruct", "--attribute", ""], "cannot be read; write smile, or smile,jaw, or smile=+2,jaw=-1"),
        (["--attribute", "smile,smile"], "smile,smile"),
        (["--attribute", "smile=1,jaw"], "smile=1,jaw"),
        (["--attribute", "smile=much"], "--attribute smile=much: the strength is not a number; write smile=+2"),
        (["--attribute", "smile=nan"], "smile=nan"),
        (["--attribute", "smile=1,jow=2"], "jaw"),
    ],
)
def test_with_one_wrong_choice_nothing_is_written(copied_run, workplace, capsys, arguments, expected):
    before = everything_in(workplace)
    assert evaluate.main(["--run", "run", *arguments]) == 2
    assert_one_line(capsys, expected)
    assert everything_in(workplace) == before


def test_a_pdf_needs_a_browser(copied_run, workplace, capsys, monkeypatch):
    before = everything_in(workplace)
    monkeypatch.setattr("vae_keras.report.pdf.shutil.which", lambda name: None)
    assert evaluate.main(["--run", "run", "--report", "--pdf"]) == 2
    assert_one_line(capsys, "--pdf needs Chromium or Chrome (looked for chromium, ")
    assert everything_in(workplace) == before


def test_a_report_needs_the_theory_pages(copied_run, workplace, capsys, monkeypatch):
    before = everything_in(workplace)
    monkeypatch.setattr(evaluate, "THEORY", workplace / "empty")
    assert evaluate.main(["--run", "run", "--report"]) == 2
    assert_one_line(capsys, "empty holds no theory pages")
    assert everything_in(workplace) == before


def test_attributes_and_maps_need_labels(copied_run, workplace, capsys):
    random = np.random.default_rng(0)
    for index in range(12):
        image = Image.fromarray(random.integers(0, 256, (32, 32), dtype=np.uint8))
        image.save(workplace / "empty" / f"{index}.png")
    for asked, expected in (
        (["--attribute", "smile"], "attributes need labels"),
        (["--latent-map", "smile"], "no labels"),
    ):
        assert evaluate.main(["--run", "run", "--data", "empty", *asked]) == 2
        assert_one_line(capsys, expected)
    assert evaluate.main(["--run", "run", "--data", "empty"]) == 0


@pytest.mark.parametrize(
    ("code", "remedy"),
    [(errno.EROFS, "pass a --run that can be written"), (errno.ENOSPC, "make room there, or pass another --run")],
)
@pytest.mark.parametrize("script_main", [train.main, evaluate.main])
def test_a_disk_that_is_read_only_or_full_is_one_line(
    copied_run, workplace, capsys, monkeypatch, code, remedy, script_main
):
    def refuse(path, **options):
        raise OSError(code, os.strerror(code), str(path))

    before = everything_in(workplace)
    monkeypatch.setattr("common.files.Path.touch", refuse)
    arguments = ["--run", "run", "--curves"] if script_main is evaluate.main else [*TINY, "--run", "new"]
    assert script_main(arguments) == 2
    assert_one_line(capsys, f"{os.strerror(code)}; {remedy}")
    after = everything_in(workplace)
    assert {path: content for path, content in after.items() if path.is_file()} == {
        path: content for path, content in before.items() if content is not None
    }


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), "memory is exhausted; pass a smaller --batch-size"),
        (tf.errors.ResourceExhaustedError(None, None, "OOM when allocating"), "memory is exhausted"),
        (tf.errors.ResourceExhaustedError(None, None, "logs/a; No space left on device"), "device; make room there"),
        (
            tf.errors.ResourceExhaustedError(
                None,
                None,
                "{{node __wrapped__WriteSummary}} logs/a; No space left on device [Op:WriteSummary]",
            ),
            "train.py: logs/a; No space left on device; make room there",
        ),
        (
            tf.errors.ResourceExhaustedError(None, None, "{{node a}}\nlogs/a; No space left on device"),
            "train.py: No space left on device; make room there",
        ),
        (
            tf.errors.PermissionDeniedError(None, None, "logs: Read-only file system"),
            "logs: Read-only file system; pass a",
        ),
    ],
)
def test_errors_of_tensorflow_about_the_machine_are_one_line(workplace, capsys, monkeypatch, error, expected):
    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr("vae_keras.training.fit", fail)
    assert train.main([*TINY, "--run", "new"]) == 2
    assert_one_line(capsys, expected)


@pytest.mark.parametrize("name", ["train.py", "evaluate.py"])
def test_missing_packages_are_one_line(name):
    # -S: without site-packages, that is, without TensorFlow and all other packages.
    result = subprocess.run([sys.executable, "-S", ROOT / name], capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith(f"{name}: tensorflow, keras, ")
    assert "pip install -r requirements.txt" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_run_in_a_folder_that_cannot_be_written_is_one_line(workplace, capsys):
    assert train.main([*TINY, "--run", "image.png/run"]) == 2
    assert_one_line(capsys, "image.png")


@pytest.mark.parametrize("name", ["train.py", "evaluate.py"])
def test_standard_error_holds_only_that_line_in_a_process_of_its_own(workplace, name):
    result = script(name, "--run", "absent", "--resume" if name == "train.py" else "--metrics", cwd=workplace)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"{name}: no run absent")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["train.py", "evaluate.py"])
def test_help_is_printed_on_request(name):
    result = script(name, "--help")
    assert result.returncode == 0
    assert "--run" in result.stdout
    assert result.stderr == ""
