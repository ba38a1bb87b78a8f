"""Training as a user does it: to the end, killed, stopped, broken, and gone on with."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial

import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import evaluate
import train
from tests.support import ROOT, TINY, script
from vae_keras import training
from vae_keras.run_folder import LOCK, Run, last_checkpoint, read_history, trained_by_this_process
from vae_keras.runs import load_run

LONG = [*TINY, "--epochs", "12"]


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, ROOT / "train.py", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for_epoch(run, epoch):
    deadline = time.monotonic() + 120
    while last_checkpoint(run) < epoch:
        assert time.monotonic() < deadline, "training did not get there"
        time.sleep(0.01)


def state(path):
    """Every number in a saved model: weights, optimiser, noise."""
    model = keras.saving.load_model(path)
    return [np.asarray(variable) for variable in (*model.variables, *model.optimizer.variables)]


def assert_same_result(one, other):
    assert one.history.read_bytes() == other.history.read_bytes()
    last = last_checkpoint(one)
    assert last == last_checkpoint(other)
    for path in (one.checkpoint(last), one.model):
        ours, theirs = state(path), state(other.folder / path.relative_to(one.folder))
        for one_value, other_value in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(one_value, other_value)


@pytest.fixture(scope="session")
def unbroken(made_once):
    def train_it(folder):
        assert train.main([*LONG, "--run", str(folder)]) == 0

    return Run(made_once("unbroken", train_it))


def test_a_run_killed_again_and_again_resumes_to_the_same_bits_and_does_only_the_rest(unbroken, tmp_path, capsys):
    run = Run(tmp_path / "killed")
    arguments, done = LONG, 0
    for epoch, delay in ((1, 0.0), (3, 0.06), (5, 0.11)):
        process = start(*arguments, "--run", str(run.folder))
        wait_for_epoch(run, max(epoch, done + 1))
        time.sleep(delay)  # into the next epoch, or into its writing
        process.kill()
        process.communicate()
        arguments, done = ["--resume"], last_checkpoint(run)
        assert epoch <= done < 12
    capsys.readouterr()
    assert train.main([*LONG, "--resume", "--run", str(run.folder)]) == 0
    epochs_run = [line.split()[1] for line in capsys.readouterr().out.splitlines() if line.startswith("epoch ")]
    assert epochs_run == [f"{e}/12" for e in range(done + 1, 13)]
    assert_same_result(run, unbroken)


def test_a_run_killed_between_two_writes_resumes_to_the_same_bits(unbroken, tmp_path):
    # The row and the best model of epoch 5 are there, its checkpoint is not.
    run = Run(tmp_path / "between")
    assert train.main([*TINY, "--epochs", "4", "--run", str(run.folder)]) == 0
    run.history.write_text(run.history.read_text() + "5,1,1,1,1,1,1,1,1\n")
    shutil.copy(run.checkpoint(4), run.model)
    (run.checkpoints / ".unfinished-epoch-0005-x.keras").write_bytes(b"half a file")
    assert train.main(["--resume", "--epochs", "12", "--run", str(run.folder)]) == 0
    assert_same_result(run, unbroken)
    assert [path.name for path in run.checkpoints.iterdir()] == ["epoch-0012.keras"]


def test_before_the_first_checkpoint_a_run_starts_anew(unbroken, tmp_path):
    run = Run(tmp_path / "early")
    run.folder.mkdir()
    for path in (unbroken.config, unbroken.split):
        shutil.copy(path, run.folder)
    assert script("train.py", "--resume", "--run", str(run.folder)).returncode == 0
    assert_same_result(run, unbroken)


def test_one_process_at_a_time_trains_a_run(tmp_path, capsys):
    run = Run(tmp_path / "shared")
    process = start(*TINY, "--epochs", "2000", "--run", str(run.folder))
    wait_for_epoch(run, 1)
    for second in (["--resume"], ["--resume", "--epochs", "3000"], [*TINY]):
        assert train.main([*second, "--run", str(run.folder)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert (str(process.pid) in line) == ("--resume" in second)  # a run that exists is refused as such
    assert json.loads(run.config.read_text())["epochs"] == 2000
    assert evaluate.main(["--run", str(run.folder), "--sample"]) == 0
    # A killed process leaves no lock that holds.
    process.kill()
    process.communicate()
    with trained_by_this_process(run):
        pass
    assert not (run.folder / LOCK).exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_ctrl_c_finishes_the_epoch_and_saves(tmp_path):
    run = Run(tmp_path / "stopped")
    process = start(*TINY, "--epochs", "2000", "--run", str(run.folder))
    wait_for_epoch(run, 1)
    process.send_signal(signal.SIGINT)
    output, error = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in error
    assert "--resume" in output
    done = last_checkpoint(run)
    assert [row["epoch"] for row in read_history(run)] == list(range(1, done + 1))
    assert 1 <= done < 2000


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_last_good_epoch(tmp_path, capsys):
    run = Run(tmp_path / "a")
    assert train.main([*TINY, "--epochs", "2", "--run", str(run.folder)]) == 0
    vae = load_run(run.folder, "last")
    kernel = vae.decoder.layers[-1].kernel
    kernel.assign(np.full(kernel.shape, 1e38))
    vae.save(run.checkpoint(2))
    assert train.main(["--resume", "--run", str(run.folder), "--epochs", "5"]) == 2
    message = capsys.readouterr().err.strip()
    assert "not finite in epoch" in message
    assert "lower --lr" in message
    done = last_checkpoint(run)
    assert 2 <= done < 5
    assert [row["epoch"] for row in read_history(run)] == list(range(1, done + 1))
    assert all(np.isfinite(w).all() for w in load_run(run.folder).get_weights())
    assert all(np.isfinite(w).all() for w in load_run(run.folder, "last").get_weights())


def test_a_finished_run_says_so_and_goes_on_with_more_epochs(tmp_path, capsys):
    run = tmp_path / "a"
    assert train.main([*TINY, "--epochs", "1", "--run", str(run)]) == 0
    before = (run / "history.csv").read_bytes()
    assert train.main(["--resume", "--run", str(run)]) == 0
    assert "is finished" in capsys.readouterr().out
    assert (run / "history.csv").read_bytes() == before
    assert train.main(["--resume", "--run", str(run), "--epochs", "2"]) == 0
    assert (run / "history.csv").read_bytes().startswith(before)
    assert len(read_history(Run(run))) == 2


def test_the_history_has_the_columns_that_others_rely_on(tiny_run):
    with (tiny_run / "history.csv").open() as file:
        header = next(csv.reader(file))
    terms = ["loss", "elbo", "reconstruction_nll", "kl"]
    assert header == ["epoch", *terms, *(f"val_{term}" for term in terms)]


def test_without_validation_the_last_epoch_is_kept(tmp_path):
    run = Run(tmp_path / "a")
    assert train.main([*TINY, "--epochs", "2", "--validation", "0", "--run", str(run.folder)]) == 0
    assert "val_elbo" not in read_history(run)[0]
    for ours, theirs in zip(
        load_run(run.folder).get_weights(), load_run(run.folder, "last").get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_the_lesson_is_learnt(tmp_path):
    run = Run(tmp_path / "a")
    arguments = ["--data", "faces:40", "--image-size", "32", "--batch-size", "8", "--lr", "3e-3", "--latent-dim", "4"]
    assert train.main([*arguments, "--epochs", "25", "--run", str(run.folder)]) == 0
    rows = read_history(run)
    assert rows[-1]["val_elbo"] > rows[0]["val_elbo"] + 20


def test_flips_change_what_is_learnt_and_not_what_it_is_judged_on(tiny_run, tmp_path):
    run = Run(tmp_path / "a")
    assert train.main([*TINY, "--epochs", "2", "--flip", "--run", str(run.folder)]) == 0
    plain, flipped = read_history(Run(tiny_run)), read_history(run)
    assert plain[0]["elbo"] != flipped[0]["elbo"]
    # The first step is taken before any weight differs: the same images, some of them mirrored, cost about the same.
    assert flipped[0]["elbo"] == pytest.approx(plain[0]["elbo"], rel=0.02)


OBJECTIVES = {
    "beta_vae": ["--beta", "3", "--warm-up", "3"],
    "annealed_vae": ["--capacity", "2", "--warm-up", "3"],
    "beta_tc_vae": ["--estimator", "weighted"],
    "factor_vae": [],
}


def train_and_resume(settings, folder, after):
    """Two runs of four epochs: one from start to end, and one that goes on from the files of the first after an epoch.

    A process that was killed between two epochs leaves just these files.
    """
    whole, broken = Run(folder / "whole"), Run(folder / "broken")

    class CopyRun(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch + 1 == after:
                shutil.copytree(whole.folder, broken.folder, ignore=shutil.ignore_patterns(LOCK))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "fit", partial(training.fit, callbacks=[CopyRun()]))
        assert train.main([*TINY, *settings, "--epochs", "4", "--run", str(whole.folder)]) == 0
    assert last_checkpoint(broken) == after
    assert train.main(["--resume", "--run", str(broken.folder)]) == 0
    assert_same_result(broken, whole)
    return whole, broken


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_trains_resumes_to_the_same_bits_and_is_evaluated(tmp_path, objective):
    whole, broken = train_and_resume(["--objective", objective, *OBJECTIVES[objective]], tmp_path, after=3)
    one, other = (load_run(run.folder, "last") for run in (whole, broken))
    assert float(one.epoch) == float(other.epoch) == 4.0
    assert evaluate.main(["--run", str(whole.folder), "--metrics", "--curves"]) == 0
    logged = EventAccumulator(str(whole.logs / "train"), size_guidance={"tensors": 0}).Reload().Tags()["tensors"]
    assert set(one.objective.parts) <= set(logged)


def test_a_capacity_is_what_the_kl_ends_with(tmp_path):
    run = Run(tmp_path / "a")
    settings = ["--objective", "annealed_vae", "--capacity", "6", "--epochs", "40", "--lr", "2e-3", "--warm-up", "20"]
    data = ["--data", "faces:80", "--image-size", "32", "--batch-size", "16", "--latent-dim", "8"]
    assert train.main([*data, *settings, "--run", str(run.folder)]) == 0
    kl = [row["kl"] for row in read_history(run)]
    assert np.mean(kl[-5:]) == pytest.approx(6.0, abs=0.6)
    # Half way up, half of it.
    assert np.mean(kl[8:12]) == pytest.approx(3.0, abs=1.0)


DEEP = [
    "--architecture",
    "deep",
    "--hidden-size",
    "16",
    "--dropout",
    "0.2",
    "--batch-normalization",
    "--likelihood",
    "learned_gaussian",
]
TABLE = ["--linear-start", "--likelihood", "gaussian", "--precision", "float16"]


VAMP = ["--prior", "vamp", "--pseudo-inputs", "4"]
FLOW = ["--prior", "flow", "--couplings", "2", "--coupling-units", "8"]


RESIDUAL = [
    "--architecture",
    "residual",
    "--no-film",
    "--likelihood",
    "learned_gaussian",
    "--schedule",
    "cosine",
    "--clipping",
    "2",
]


@pytest.mark.parametrize(
    "architecture", [[*DEEP, *VAMP], [*TABLE, *FLOW], RESIDUAL], ids=["deep-vamp", "table-flow", "residual-cosine"]
)
def test_a_run_with_all_that_can_be_asked_for_resumes_to_the_same_bits(tmp_path, architecture):
    settings = [*architecture, "--flip", "--shift", "2", "--weight-decay", "0.1", "--weight-averaging", "0.25"]
    train_and_resume(settings, tmp_path, after=2)
