"""The cost of a run in addition to its training steps: callbacks, start-up time, memory.

python -m benchmarks.training

There are three measurements:

1. The time of an epoch of `fit` with all callbacks and files, but without validation, compared with the compiled
   training steps alone. Both are timed in turns.
2. The time from the command to the end of the first epoch, if the epoch has one step and the images are in the cache.
   The checkpoint is included.
3. The memory of a process during 300 epochs.
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

# TensorBoard gets images every 50 epochs, so one of the measured epochs includes them.
EPOCHS, MEASURED = 1_000, 50
FITTED: dict[str, Any] = {"validation": 0.0, "epochs": EPOCHS}  # settings of the run in measurement 1
ONE_STEP = ["--data", "faces:160", "--validation", "0", "--epochs", "1"]
LONG = ["--data", "faces:200", "--image-size", "32", "--epochs", "300"]
REPORTED_EPOCHS = (10, 100, 200, 300)


class Timing(keras.callbacks.Callback):
    """Times each epoch of `fit` with its callbacks, and after it the training steps of an epoch alone."""

    def __init__(self, config: Config, data: RunData):
        super().__init__()
        vae = compiled_vae(config)
        vae.optimizer.build(vae.trainable_variables)
        train = data.dataset.images.part(data.split.train)
        self.steps = steps_per_epoch(train.count, config.batch_size)
        self.batches = iter(training_batches(train, config.batch_size, config.seed, EPOCHS))
        self.step = tf.function(vae.train_step, reduce_retracing=True)
        self.fitted: list[float] = []
        self.steps_alone: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if epoch > 0:
            self.fitted.append(time.perf_counter() - self.mark)
        start = time.perf_counter()
        for _ in range(self.steps):
            loss = self.step(next(self.batches))["loss"]
        loss.numpy()
        self.steps_alone.append(time.perf_counter() - start)
        self.mark = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if epoch > MEASURED:
            self.model.stop_training = True


def overhead_of_fit(folder: Path) -> float:
    """The additional time of an epoch of `fit`, as a fraction of its steps; without the first epoch, which traces."""
    config = Config.of(**FITTED).checked()
    data = open_data(config)
    timing = Timing(config, data)
    fit(create_run(folder, config, data), config, data, [timing])
    return float(np.sum(timing.fitted[1:]) / np.sum(timing.steps_alone[1 : len(timing.fitted)]) - 1)


def train_command(*arguments: str) -> list[str]:
    """The command that runs `train.py`."""
    return [sys.executable, "train.py", *arguments]


def cold_start(folder: Path) -> float:
    """Seconds of a run of one step, including the start of Python."""
    subprocess.run(train_command(*ONE_STEP, "--run", str(folder / "cached")), check=True, capture_output=True)
    start = time.perf_counter()
    subprocess.run(train_command(*ONE_STEP, "--run", str(folder / "timed")), check=True, capture_output=True)
    return time.perf_counter() - start


def memory(folder: Path) -> dict[int, float]:
    """The memory of a training process in MiB, by the number of finished epochs."""
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
        print(f"fit takes {100 * overhead_of_fit(folder / 'fit'):+.1f} % more time than its training steps alone")
        print(f"from the command to the end of the first epoch (one step): {cold_start(folder):.1f} s")
        sizes = memory(folder / "long")
        for epoch in REPORTED_EPOCHS:
            seen = max(done for done in sizes if done <= epoch)
            print(f"memory after epoch {seen}: {sizes[seen]:.0f} MiB")


if __name__ == "__main__":
    main()
