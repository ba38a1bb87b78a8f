"""The progress of a run: a bar on a terminal; otherwise one line for each epoch."""

import time
from datetime import timedelta
from typing import Any, Self

import keras
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

MEASURED = 10.0  # seconds of steps that tell how long all of them take


class ShowProgress(keras.callbacks.Callback):
    """Shows epoch, images per second, remaining time, ELBO, reconstruction and KL. Use it in a `with` block.

    If steps were skipped, their number is shown too.

    Args:
        images: training images in an epoch.
        steps: batches in an epoch.
        epochs: number of epochs of the whole run.
        first_epoch: number of epochs that earlier processes finished.
    """

    def __init__(self, images: int, steps: int, epochs: int, first_epoch: int, console: Console | None = None):
        super().__init__()
        self.images, self.steps, self.epochs, self.first_epoch = images, steps, epochs, first_epoch
        self.console = console or Console(highlight=False, soft_wrap=True)
        self.bar: Progress | None = None
        self.steps_done, self.told, self.first_step_ended = 0, False, 0.0

    def __enter__(self) -> Self:
        self.started = time.perf_counter()
        if self.console.is_terminal:
            self.bar = Progress(
                TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
                BarColumn(bar_width=8),  # so that the whole line fits into 80 columns
                TextColumn("{task.fields[rate]:.0f} images/s"),
                TimeRemainingColumn(elapsed_when_finished=True),
                TextColumn("{task.fields[terms]}"),
                console=self.console,
            )
            self.task = self.bar.add_task(
                "", total=self.epochs * self.steps, completed=self.first_epoch * self.steps,
                epoch=self.first_epoch + 1, epochs=self.epochs, rate=0.0, terms="",
            )  # fmt: skip
            self.bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self.bar:
            self.bar.stop()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epoch_started = time.perf_counter()
        self.trained_in = 0.0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        now = time.perf_counter()
        self.trained_in = now - self.epoch_started
        self._tell_duration(now)
        if self.bar:
            share = (batch + 1) / self.steps
            self.bar.update(self.task, advance=1, rate=share * self.images / self.trained_in)

    def _tell_duration(self, now: float) -> None:
        """Say once how long the training will take, after the slow first step and `MEASURED` seconds of steps."""
        self.steps_done += 1
        if self.steps_done == 1:
            self.first_step_ended = now
        elif not self.told and (now - self.first_step_ended > MEASURED or self.steps_done == self.steps):
            left = (self.epochs - self.first_epoch) * self.steps - self.steps_done
            seconds = (now - self.first_step_ended) / (self.steps_done - 1) * left
            if seconds > MEASURED:
                self.console.print(f"about {timedelta(seconds=round(seconds))} to go; Ctrl-C saves the run")
            self.told = True

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs or {}
        shown = {"elbo": "elbo", "reconstruction_nll": "reconstruction", "kl": "kl", "val_elbo": "val_elbo"}
        terms = "  ".join(f"{name} {float(logs[term]):.1f}" for term, name in shown.items() if term in logs)
        skipped = logs.get("skipped_steps", 0)
        if self.bar:
            short = "elbo {elbo:.1f} nll {reconstruction_nll:.1f} kl {kl:.1f}".format(**logs)
            self.bar.update(self.task, epoch=min(epoch + 2, self.epochs), terms=short)
            if skipped:
                self.console.print(f"epoch {epoch + 1}/{self.epochs}  {self._skipped(skipped)}")
            return
        done = epoch + 1 - self.first_epoch
        left = (time.perf_counter() - self.started) / done * (self.epochs - epoch - 1)
        rate = self.images / max(self.trained_in, 1e-9)
        self.console.print(
            f"epoch {epoch + 1}/{self.epochs}  {rate:.0f} images/s  {timedelta(seconds=round(left))} left  {terms}"
            + (f"  {self._skipped(skipped)}" if skipped else "")
        )

    def _skipped(self, steps: int) -> str:
        return f"{steps} of {self.steps} steps skipped (overflow in float16)"
