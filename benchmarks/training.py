"""What a run costs beside its training steps: callbacks, the start, memory.

python -m benchmarks.training

Three measurements: an epoch of `fit` with every callback and every file (validation left out) against the bare
compiled steps of the same epoch, in turns; the time from the command to the end of a first epoch of one step, its
checkpoint included, images in the cache; and the memory of a process along 300 epochs.
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

# As long as pictures for TensorBoard are apart, so that one of the measured epochs draws them.
EPOCHS, MEASURED = 1_000, 50
ONE_STEP = ["--data", "faces:160", "--validation", "0", "--epochs", "1"]
LONG = ["--data", "faces:200", "--image-size", "32", "--epochs", "300"]
LOOKED_AT = (10, 100, 200, 300)


class Turns(keras.callbacks.Callback):
    """Times each epoch of `fit` with all that happens in and around it, then the bare steps of one."""

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


def loss_of_fit(folder: Path) -> float:
    """How much longer an epoch of `fit` takes than its steps, as a share; the first epoch, which traces, left out."""
    config = Config.of(validation=0.0, epochs=EPOCHS).checked()
    data = open_data(config)
    turns = Turns(config, data)
    fit(create_run(folder, config, data), config, data, [turns])
    return float(np.sum(turns.fitted[1:]) / np.sum(turns.bare[1 : len(turns.fitted)]) - 1)


def train_command(*arguments: str) -> list[str]:
    """`train.py` in a process of its own."""
    return [sys.executable, "train.py", *arguments]


def cold_start(folder: Path) -> float:
    """Seconds of a run of one step, the interpreter's start included."""
    subprocess.run(train_command(*ONE_STEP, "--run", str(folder / "cached")), check=True, capture_output=True)
    start = time.perf_counter()
    subprocess.run(train_command(*ONE_STEP, "--run", str(folder / "timed")), check=True, capture_output=True)
    return time.perf_counter() - start


def memory(folder: Path) -> dict[int, float]:
    """MiB that the process holds after some of its epochs."""
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
    """Print the three."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        print(f"fit takes {100 * loss_of_fit(folder / 'fit'):+.1f} % of the time of its bare steps on top of it")
        print(f"from the command to the end of a first epoch of one step: {cold_start(folder):.1f} s")
        sizes = memory(folder / "long")
        for epoch in LOOKED_AT:
            seen = max(done for done in sizes if done <= epoch)
            print(f"memory after epoch {seen}: {sizes[seen]:.0f} MiB")


if __name__ == "__main__":
    main()
