"""The averaged weights, wherever a model is looked at."""

from typing import Any

import keras


class EvaluateAverage(keras.callbacks.Callback):
    """Validation, and all callbacks after this one at the end of an epoch, see the averaged weights.

    So the checkpoint and the model that are saved there hold them; the weights that training goes on
    from lie with the optimiser meanwhile.

    Args:
        in_place: whether the averages are where the weights belong, as in a saved checkpoint.
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
            getattr(optimizer, "inner_optimizer", optimizer).exchange()  # inside, where the loss is scaled
            self.in_place = averages
