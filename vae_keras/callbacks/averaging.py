"""The averaged weights, in validation, checkpoints and figures."""

from typing import Any

import keras


class EvaluateAverage(keras.callbacks.Callback):
    """Validation, and all later callbacks at the end of an epoch, see the averaged weights.

    So the checkpoint and the saved model hold the averages. Meanwhile the optimizer holds the weights from which
    training goes on.

    Args:
        in_place: whether the model holds the averages now, as a saved checkpoint does.
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
            optimizer = getattr(optimizer, "inner_optimizer", optimizer)  # in float16 a scaling optimizer holds it
            optimizer.exchange(self.model.trainable_variables)
            self.in_place = averages
