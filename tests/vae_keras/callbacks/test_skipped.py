import keras
import numpy as np
import pytest

import train
import vae_keras
from data.pipelines import evaluation_batches
from tests.support import TINY
from vae_keras.callbacks import CountSkippedSteps, EvaluateAverage
from vae_keras.optimizers import Adam
from vae_keras.run_folder import Run, last_checkpoint, read_history
from vae_keras.runs import load_run

IMAGES = np.random.default_rng(0).integers(0, 255, (16, 32, 32, 1)).astype(np.uint8)
STEPS = 2  # of an epoch
TOO_LARGE = 2.0**30  # a scale of the loss at which about a dozen steps overflow before the first fits into float16
ENOUGH = "14"  # epochs in which there is a step then


class Spy(keras.callbacks.Callback):
    """Notes a weight after every step, and what the epoch ends with."""

    def __init__(self):
        super().__init__()
        self.stepped, self.shown, self.skipped = [], [], []

    def weight(self):
        return self.model.decoder.layers[0].kernel.numpy()

    def on_train_batch_end(self, batch, logs=None):
        self.stepped.append(self.weight())

    def on_epoch_end(self, epoch, logs=None):
        self.shown.append(self.weight())
        self.skipped.append(logs["skipped_steps"])


@pytest.fixture
def overflowing_at_first(monkeypatch):
    made_with = keras.optimizers.LossScaleOptimizer.__init__
    monkeypatch.setattr(made_with, "__defaults__", (TOO_LARGE, *made_with.__defaults__[1:]))


@pytest.mark.parametrize("skipped", [0, 1, 3])
def test_skipped_steps_are_counted_and_do_not_count_in_the_average(skipped):
    vae, spy = vae_keras.build_vae((32, 32, 1), 4), Spy()
    optimizer = keras.optimizers.LossScaleOptimizer(Adam(1e-2, mean_age=0.5))
    vae.compile(optimizer=optimizer, jit_compile=False)
    start = vae.decoder.layers[0].kernel.numpy()
    original, calls = optimizer.check_finite, keras.Variable(0, dtype="int32")

    def overflows_at_first(gradients):
        calls.assign_add(1)
        return keras.ops.logical_and(original(gradients), calls > skipped)

    optimizer.check_finite = overflows_at_first
    callbacks = [EvaluateAverage(in_place=False), CountSkippedSteps(3), spy]
    vae.fit(evaluation_batches(IMAGES, 8), epochs=3, verbose=0, shuffle=False, callbacks=callbacks)

    assert spy.skipped == [min(STEPS, max(0, skipped - STEPS * epoch)) for epoch in range(3)]
    assert int(optimizer.iterations) == 3 * STEPS - skipped
    for step in range(skipped):
        np.testing.assert_array_equal(spy.stepped[step], start)
    for epoch in range(3):
        taken = spy.stepped[skipped : STEPS * (epoch + 1)]
        # With a mean age of a half all steps that were taken count alike; the average of none is the start.
        np.testing.assert_allclose(spy.shown[epoch], np.mean(taken, axis=0) if taken else start, atol=1e-6)


def test_an_epoch_without_a_step_leaves_the_weights_it_began_with_and_says_so(tmp_path, overflowing_at_first, capsys):
    run = Run(tmp_path / "a")
    settings = ["--precision", "float16", "--weight-averaging", "0.1", "--no-linear-start"]
    assert train.main([*TINY, *settings, "--epochs", ENOUGH, "--run", str(run.folder)]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("epoch ")]
    assert "2 of 2 steps skipped (overflow in float16)" in lines[0]
    assert "skipped" not in lines[-1]
    # Weights of zero would give logits of zero, and a pixel would cost ln 2.
    assert read_history(run)[0]["val_elbo"] != pytest.approx(-1024 * np.log(2), rel=1e-6)


@pytest.mark.parametrize("epochs", [1, 3])
def test_a_run_in_which_no_step_was_taken_is_an_error_also_when_it_goes_on(
    tmp_path, overflowing_at_first, capsys, epochs
):
    run = Run(tmp_path / "a")
    settings = ["--precision", "float16", "--weight-averaging", "0.1"]
    for arguments in ([*TINY, *settings, "--epochs", str(epochs)], ["--resume"]):
        assert train.main([*arguments, "--run", str(run.folder)]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert f"no step was taken in {epochs} epochs: in float16" in error
        assert "--precision float32" in error
        assert last_checkpoint(run) == epochs - 1
    # The remedy helps.
    assert train.main(["--resume", "--epochs", ENOUGH, "--run", str(run.folder)]) == 0
    assert int(load_run(run.folder, "last").optimizer.iterations) > 0
