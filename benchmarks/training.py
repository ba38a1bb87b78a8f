"""The costs of a run other than its training steps: callbacks, the start, and memory.

python -m benchmarks.training

There are three measurements:

- the time of an epoch of `fit`, with every callback and every file but without validation, compared with the time of
the
  compiled training steps alone. The two take turns, epoch by epoch.
- the time from the command to the end of a first epoch with one step, including its checkpoint. The images are cached.
- the memory of a process during 300 epochs.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from data.pipelines import steps_per_epoch, training_batches
from vae_keras.config import Config
from vae_keras.run_data import RunData, open_data
from vae_keras.run_folder import create_run, open_run, read_history
from vae_keras.training import compiled_vae, fit

# MEASURED is the number of epochs between images for TensorBoard, so one of the measured epochs draws them.
EPOCHS, MEASURED = 1_000, 50
ONE_STEP = ["--data", "faces:160", "--validation", "0", "--epochs", "1"]
LONG = ["--data", "faces:200", "--image-size", "32", "--epochs", "300"]
LOOKED_AT = (10, 100, 200, 300)


class Turns(keras.callbacks.Callback):
    """Measures the time of each epoch of `fit` with all callbacks, then the time of the training steps of one epoch."""

    def __init__(self, config: Config, data: RunData):
        super().__init__()
        vae = compiled_vae(config)
        vae.optimizer.build(vae.trainable_variables)
        train = data.dataset.images[data.split.train]
        self.steps = steps_per_epoch(len(train), config.batch_size)
        self.batches = iter(training_batches(train, config.batch_size, config.seed, EPOCHS))
        self.step = tf.function(vae.train_step, reduce_retracing=True)
        self.fitted: list[float] = []
        self.bare: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if epoch > 0:
            self.fitted.append(time.perf_counter() - self.mark)
        start = time.perf_counter()
        for _ in range(self.steps):
            loss = self.step(next(self.batches))["loss"]
        loss.numpy()
        self.bare.append(time.perf_counter() - start)
        self.mark = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if epoch > MEASURED:
            self.model.stop_training = True


def overhead_of_fit(folder: Path) -> float:
    """The extra time of an epoch of `fit`, as a share of the time of its steps, without the first epoch (tracing)."""
    config = Config.of(validation=0.0, epochs=EPOCHS).checked()
    data = open_data(config)
    turns = Turns(config, data)
    fit(create_run(folder, config, data), config, data, [turns])
    return float(np.sum(turns.fitted[1:]) / np.sum(turns.bare[1 : len(turns.fitted)]) - 1)


def train_command(*arguments: str) -> list[str]:
    """The command that runs `train.py` in a new process."""
    return [sys.executable, "train.py", *arguments]


def cold_start(folder: Path) -> float:
    """Seconds of a run with one step, including the start of the interpreter."""
    subprocess.run(train_command(*ONE_STEP, "--run", str(folder / "cached")), check=True, capture_output=True)
    start = time.perf_counter()
    subprocess.run(train_command(*ONE_STEP, "--run", str(folder / "timed")), check=True, capture_output=True)
    return time.perf_counter() - start


def memory(folder: Path) -> dict[int, float]:
    """The memory of the process in MiB, by the number of finished epochs."""
    process = subprocess.Popen(train_command(*LONG, "--run", str(folder)), stdout=subprocess.DEVNULL)
    sizes: dict[int, float] = {}
    while process.poll() is None:
        time.sleep(0.05)
        done = len(read_history(open_run(folder))) if (folder / "config.json").exists() else 0
        if done not in sizes:
            fields = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
            resident = [line for line in fields.splitlines() if line.startswith("VmRSS")]
            if resident:
                sizes[done] = int(resident[0].split()[1]) / 1024
    return sizes


def main() -> None:
    """Print the three measurements."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        print(f"extra time of fit: {100 * overhead_of_fit(folder / 'fit'):+.1f} % of the time of its training steps")
        print(f"from the command to the end of a first epoch of one step: {cold_start(folder):.1f} s")
        sizes = memory(folder / "long")
        for epoch in LOOKED_AT:
            seen = max(done for done in sizes if done <= epoch)
            print(f"memory after epoch {seen}: {sizes[seen]:.0f} MiB")


if __name__ == "__main__":
    main()
