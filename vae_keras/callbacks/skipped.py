"""Steps that training in float16 leaves out because a gradient overflows."""

from typing import Any

import keras

from common.errors import UserError


class CountSkippedSteps(keras.callbacks.Callback):
    """Says in each epoch how many steps Keras's `LossScaleOptimizer` skipped; place it before callbacks that show that.

    A skipped step changes no weight and halves the scale of the loss, so that later steps can fit into float16. The
    number is `skipped_steps` in the epoch's logs.

    Args:
        epochs: of the whole run, which has to take at least one step in them.
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
                f"no step was taken in {self.epochs} epochs: in float16 a gradient overflowed in every one; pass more "
                "--epochs, as each skipped step halves the scale of the loss, or train a new run with "
                "--precision float32"
            )
        if logs is not None:
            logs["skipped_steps"] = self.batches - (self._taken() - self.taken_before)

    def _taken(self) -> int:
        """Steps that have changed the weights since the run began."""
        return int(self.model.optimizer.iterations)
