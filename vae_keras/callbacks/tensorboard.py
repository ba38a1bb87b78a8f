"""The log for TensorBoard: curves, images, the latents in the projector, the settings and the graph."""

import os
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams

from common.names import printable
from data.images import unit_pixels
from vae_keras.callbacks.projector import write_latents, write_projected_images
from vae_keras.config import all_settings
from vae_keras.latent import decode_latents, encode_images, information_of_latents, traverse
from vae_keras.plots import image_grid
from vae_keras.run_data import RunData
from vae_keras.types import TERMS

IMAGES = 500
SHOWN = 16
COLUMNS = 8
TRAVERSED = 8
TRAVERSAL = np.linspace(-3.0, 3.0, COLUMNS - 1)


class TensorBoardLog(keras.callbacks.Callback):
    """Writes the terms and the learning rate after every epoch, and images and latents after every `every` epochs.

    Images and latents are also written after the first and the last epoch. Train and validation are two runs of one
    log, so each term has one chart with both curves. The settings and the graph are in the root folder of the log. The
    projector shows validation images, or train images if there are no validation images.

    Args:
        folder: the folder of the event files.
        data: the images. The KL of each latent is a mean over the first 500 images of train and of validation.
        every: number of epochs between images.
        epochs: number of epochs of the whole run.
        settings: of the run, by name.
        seed: of the latents that are decoded to samples. They are the same in each epoch.
    """

    def __init__(self, folder: Path, data: RunData, every: int, epochs: int, settings: dict[str, Any], seed: int):
        super().__init__()
        self.folder, self.dataset = folder, data.dataset
        self.parts = {"train": data.split.train[:IMAGES], "validation": data.split.validation[:IMAGES]}
        self.every, self.epochs, self.settings, self.seed = every, epochs, settings, seed
        self.writers = {part: _writer(folder / part) for part, indices in self.parts.items() if len(indices)}
        # The part whose ELBO picks the best epoch.
        self.deciding = "validation" if "validation" in self.writers else "train"

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.latents = self.model.prior.sample(SHOWN, self.seed)
        root = _writer(self.folder)
        with root.as_default(step=0):
            hparams.hparams_config(
                # All settings that exist: TensorBoard shows only the columns of the first run that it finds in a
                # folder.
                hparams=[hparams.HParam(name) for name in all_settings()],
                metrics=[hparams.Metric(term, group=self.deciding) for term in TERMS],
            )
            hparams.hparams({name: _shown(value) for name, value in self.settings.items()})
            images = tf.TensorSpec((None, *self.model.image_shape))
            tf.summary.graph(tf.function(self.model.elbo_terms).get_concrete_function(images).graph)
        root.close()
        write_projected_images(self.folder / self.deciding, self.dataset, self.parts[self.deciding])

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        done = epoch + 1
        for part, writer in self.writers.items():
            prefix = "val_" if part == "validation" else ""
            with writer.as_default(step=done):
                for name, value in (logs or {}).items():
                    if name.startswith("val_") == bool(prefix):
                        tf.summary.scalar(name.removeprefix(prefix), value)
                if part == "train":
                    tf.summary.scalar("learning_rate", self.model.optimizer.learning_rate)
                if done == 1 or done % self.every == 0 or done == self.epochs:
                    self._show(part)
            writer.flush()

    def _show(self, part: str) -> None:
        """Write the latents, reconstructions, samples and traversals of one part (train or validation)."""
        indices = self.parts[part]
        images = self.dataset.images.batch(indices)
        posterior = encode_images(self.model, images)
        information = information_of_latents(self.model.prior, posterior)
        name = information.name.lower()
        for latent, value in enumerate(information.nats):
            tf.summary.scalar(f"{name}_of_latent/{latent:02d}", value)
        tf.summary.histogram(f"{name}_of_latents", information.nats)
        originals = unit_pixels(images[:SHOWN])
        pairs = np.stack([originals, decode_latents(self.model, posterior.mean[:SHOWN])], axis=1)
        self._image("reconstructions", pairs)
        if part == "train":
            self._image("samples", decode_latents(self.model, self.latents))
            self._image("traversals", self._traversals(originals[0], posterior.mean[0], information.order[:TRAVERSED]))
        if part == self.deciding:
            write_latents(self.folder / part, posterior.mean)

    def _traversals(self, original: np.ndarray, face: np.ndarray, latents: np.ndarray) -> np.ndarray:
        """Images of a face (latents,) in one row for each of these latents.

        A row holds the first image, then the decoded images while the latent takes the values of `TRAVERSAL`.
        """
        moved = traverse(face, latents, TRAVERSAL)
        images = decode_latents(self.model, moved)
        return np.concatenate([np.broadcast_to(original, (len(moved), 1, *original.shape)), images], axis=1)

    def _image(self, tag: str, images: np.ndarray) -> None:
        grid = image_grid(images.reshape(-1, *self.model.image_shape), COLUMNS)
        tf.summary.image(tag, grid[None])

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        for writer in self.writers.values():
            writer.close()


def _shown(setting: Any) -> Any:
    """The setting in a form that TensorBoard can store. The path of the images may be text that is not UTF-8."""
    return printable(setting) if isinstance(setting, str) else setting


def _writer(folder: Path) -> tf.summary.SummaryWriter:
    """A writer of event files. TensorFlow accepts a folder name that is not UTF-8 only as bytes."""
    return tf.summary.create_file_writer(os.fsencode(folder))
