"""The callback that uses the averaged weights in validation, checkpoints and figures."""

from typing import Any

import keras


class EvaluateAverage(keras.callbacks.Callback):
    """Puts the averaged weights into the model for validation and for all later callbacks at the end of an epoch.

    So the checkpoint and the saved model contain the averages. During this time the optimizer stores the weights with
    which training continues.

    Args:
        in_place: whether the model contains the averages now. In a saved checkpoint it does.
    """

    def __init__(self, in_place: bool):
        super().__init__()
        self.in_place = in_place

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._show(averages=False)

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._show(averages=True)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._show(averages=True)

    def _show(self, averages: bool) -> None:
        if averages != self.in_place:
            optimizer = self.model.optimizer
            optimizer = getattr(optimizer, "inner_optimizer", optimizer)  # float16: inside a LossScaleOptimizer
            optimizer.exchange(self.model.trainable_variables)
            self.in_place = averages
