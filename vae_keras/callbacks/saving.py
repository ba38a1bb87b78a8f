"""Callbacks that save each epoch, and that stop a run before numbers that are not finite are saved."""

import math
import shutil
from typing import Any

import keras
import numpy as np
from keras.optimizers import LossScaleOptimizer

from common.errors import UserError
from common.files import atomic_write
from vae_keras.keras_private import remember_skipped_attributes
from vae_keras.run_folder import CHECKPOINT, HISTORY_COLUMNS, Row, Run, best_epoch, last_checkpoint, write_history


class FiniteLoss(keras.callbacks.Callback):
    """Stops a run whose loss or weights are no longer finite. Place it before the callback that saves the epoch."""

    def __init__(self, run: Run):
        super().__init__()
        self.run = run

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        bad = [name for name, value in (logs or {}).items() if not math.isfinite(value)]
        if not bad and all(np.isfinite(weight).all() for weight in self.model.get_weights()):
            return
        done = last_checkpoint(self.run)
        kept = f"the checkpoint of epoch {done} is kept" if done else "no epoch was finished"
        # In float16, a forward pass can overflow although the weights are good. In other precisions, training diverges.
        remedy = "--precision float32" if isinstance(self.model.optimizer, LossScaleOptimizer) else "a lower --lr"
        raise UserError(
            f"{bad[0] if bad else 'a weight'} is not finite in epoch {epoch + 1}; {kept}; start a new run with {remedy}"
        )


class SaveEpoch(keras.callbacks.Callback):
    """Writes the row of the epoch in history.csv, then the model if it is the best so far, then the checkpoint.

    Because of this order, a run can be resumed if its process is killed at any time: see `vae_keras.run_folder`.
    """

    def __init__(self, run: Run, rows: list[Row]):
        super().__init__()
        self.run = run
        self.rows = rows

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        remember_skipped_attributes()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        done = epoch + 1
        terms = {name: float(value) for name, value in (logs or {}).items() if name in HISTORY_COLUMNS}
        self.rows.append({"epoch": done, **terms})
        write_history(self.run, self.rows)
        with atomic_write(self.run.checkpoint(done)) as checkpoint:
            self.model.save(checkpoint)
            if best_epoch(self.rows) == done:
                with atomic_write(self.run.model) as model:
                    shutil.copyfile(checkpoint, model)
        for path in self.run.checkpoints.glob("epoch-*.keras"):
            if CHECKPOINT.fullmatch(path.name) and path != self.run.checkpoint(done):
                path.unlink()
