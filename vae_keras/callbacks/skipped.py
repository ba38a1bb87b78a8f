"""Training steps in float16 that are skipped because a gradient overflows."""

from typing import Any

import keras

from common.errors import UserError


class CountSkippedSteps(keras.callbacks.Callback):
    """Counts the steps that Keras's `LossScaleOptimizer` skipped in each epoch.

    A skipped step changes no weight. It halves the scale of the loss, so that the gradients of later steps do not
    overflow in float16. The number is `skipped_steps` in the logs of the epoch, so place this callback before callbacks
    that show the number.

    Args:
        epochs: number of epochs of the whole run. If every step of these epochs is skipped, training ends with an
            error.
    """

    def __init__(self, epochs: int):
        super().__init__()
        self.epochs = epochs

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.batches, self.taken_before = 0, self._taken()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.batches += 1

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if epoch + 1 == self.epochs and self._taken() == 0:
            raise UserError(
                f"no step was taken in {self.epochs} epochs: in float16 a gradient overflowed in every step; pass more "
                "--epochs, because each skipped step halves the scale of the loss, or train a new run with "
                "--precision float32"
            )
        if logs is not None:
            logs["skipped_steps"] = self.batches - (self._taken() - self.taken_before)

    def _taken(self) -> int:
        """The number of steps since the run began that have changed the weights."""
        return int(self.model.optimizer.iterations)
