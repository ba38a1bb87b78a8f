"""Train a run: build or load the model, fit it, and save the results."""

import logging
from collections.abc import Sequence
from contextlib import ExitStack

import keras
import tensorflow as tf

from common.errors import UserError
from common.files import remove_unfinished
from data.pipelines import Share, evaluation_batches, reading, steps_per_epoch, training_batches
from vae_keras.augmented import shown_in_training
from vae_keras.callbacks import (
    CountSkippedSteps,
    EvaluateAverage,
    FiniteLoss,
    SaveEpoch,
    ShowProgress,
    StopAfterEpoch,
    TensorBoardLog,
)
from vae_keras.config import Config
from vae_keras.distributed import Devices
from vae_keras.latent import BATCH
from vae_keras.model import VAE
from vae_keras.run_data import RunData
from vae_keras.run_folder import Run, last_checkpoint, read_history
from vae_keras.runs import keras_version, load_run, optimizer_of, untrained_vae

log = logging.getLogger(__name__)

IMAGE_GRIDS = 20  # the number of times that a long run writes images for TensorBoard


def compiled_vae(config: Config, training_images: int = 1) -> VAE:
    """The untrained VAE that the settings ask for, with its optimiser."""
    vae = untrained_vae(config, training_images)
    vae.compile(optimizer_of(config, training_images), jit_compile=False)  # `fit` chooses XLA or not
    return vae


def first_vae(config: Config, data: RunData) -> VAE:
    """The VAE with which training starts, before its first step."""
    vae = compiled_vae(config, len(data.split.train))
    config.build_architecture().start(vae, lambda: shown_in_training(config, data))
    return vae


def fit(
    run: Run,
    config: Config,
    data: RunData,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    devices: Devices = Devices(),  # noqa: B008 (it has no state)
    done: int | None = None,
) -> bool:
    """Train up to `config.epochs`, from the newest checkpoint of the run, or from the start if there is none.

    The images and random numbers of an epoch depend only on the settings and the number of the epoch. So an interrupted
    run ends with the same weights as an uninterrupted one. They are equal to the bit if the operations of TensorFlow
    are deterministic; `train.py` makes them so.

    Args:
        callbacks: called after the callbacks of the run.
        devices: on which the run is trained. Only their chief writes the run.
        done: number of finished epochs, which is the same in all processes; None for that of the newest checkpoint.

    Returns:
        Whether all epochs are done. False if a signal stopped the run.

    Raises:
        UserError: the loss is no longer finite, all steps were skipped in float16, or the history and the checkpoints
            do not fit together.
    """
    if devices.is_chief:
        for folder in (run.folder, run.checkpoints):
            remove_unfinished(folder)
    done = last_checkpoint(run) if done is None else done
    rows = read_history(run) if done or devices.is_chief else []  # there may be another run of this name elsewhere
    if len(rows) < done:
        raise UserError(f"{run.history} lacks epochs before {run.checkpoint(done).name}; train a new run")
    if len(rows) > done + 1:  # one more row is possible: the process may have ended before it wrote the checkpoint
        raise UserError(f"{run.history} has {len(rows)} epochs, {run.checkpoints} only {done}; train a new run")
    if done and (other := keras_version(run.checkpoint(done))):
        now = keras.__version__
        log.warning(
            "%s was saved by Keras %s, this is Keras %s: the weights may differ from those of an uninterrupted run",
            run.folder,
            other,
            now,
        )
    with devices.scope():
        vae = load_run(run.folder, "last") if done else first_vae(config, data)
    devices.prepare(vae)
    # XLA makes these networks several times slower on a CPU.
    vae.jit_compile = bool(tf.config.list_physical_devices("GPU"))
    train, validation = (data.dataset.images.part(part) for part in (data.split.train, data.split.validation))
    steps = steps_per_epoch(train.count, config.batch_size)
    every = max(1, config.epochs // IMAGE_GRIDS)
    averaged = [EvaluateAverage(in_place=done > 0)] if config.weight_averaging else []
    counted = [CountSkippedSteps(config.epochs)] if config.precision == "float16" else []

    def training(share: Share) -> tf.data.Dataset:
        return training_batches(
            train, config.batch_size, config.seed, config.epochs, done, config.flip, config.shift, share
        )

    with ExitStack() as stack:
        of_chief: list[keras.callbacks.Callback] = []
        if devices.is_chief:
            of_chief = [
                TensorBoardLog(run.logs, data, every, config.epochs, config.settings(), config.seed),
                SaveEpoch(run, rows[:done]),
                stack.enter_context(ShowProgress(train.count, steps, config.epochs, done)),
            ]
        stop = stack.enter_context(StopAfterEpoch(devices.any_asks))
        stack.enter_context(reading())
        vae.fit(
            devices.batches(training),
            epochs=config.epochs,
            initial_epoch=done,
            steps_per_epoch=steps,
            validation_data=devices.batches(lambda share: evaluation_batches(validation, BATCH, share))
            if validation.count
            else None,
            validation_steps=steps_per_epoch(validation.count, BATCH) or None,
            shuffle=False,  # the pipeline shuffles the images
            verbose=0,
            callbacks=[
                *averaged,
                FiniteLoss(run),
                *counted,
                *of_chief,
                stop,
                *callbacks,
            ],
        )
    return max(done, stop.epochs_done) == config.epochs
