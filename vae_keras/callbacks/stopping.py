"""The callback that ends training after the current epoch when the user presses Ctrl-C or sends SIGTERM."""

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, Self

import keras


class StopAfterEpoch(keras.callbacks.Callback):
    """Ends training after the epoch in which SIGINT or SIGTERM arrives. A second signal ends the process at once.

    The signals are handled only inside the `with` block of this callback. Place it after the callback that saves.

    Args:
        any_asks: whether any process of the run was asked to stop, from whether this one was.
    """

    def __init__(self, any_asks: Callable[[bool], bool] = bool) -> None:
        super().__init__()
        self.any_asks, self.epochs_done = any_asks, 0
        self._asked = False
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *error: object) -> None:
        self._restore()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epochs_done = epoch + 1
        if self.any_asks(self._asked):
            self.model.stop_training = True

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._asked = True
        self._restore()
        print("\nfinishing this epoch and saving; press Ctrl-C again to stop at once", file=sys.stderr, flush=True)

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
