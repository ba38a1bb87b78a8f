"""What TensorBoard shows: the terms and the KL of each latent as curves, reconstructions and samples as pictures."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from vae_keras.gaussians import kl_to_standard_normal
from vae_keras.latent import decode_latents, encode_images
from vae_keras.plots import image_grid

IMAGES = 2_000
PICTURES = 16
COLUMNS = 8


class TensorBoardLog(keras.callbacks.Callback):
    """Scalars after every epoch; KL of each latent and grids of pictures every `every` epochs, first and last included.

    Train and validation are two runs of one log, so each term has one chart with both curves.

    Args:
        folder: where the event files go.
        train, validation: (n, height, width, channels) uint8; validation may be empty. The KL of each
            latent is taken over the first 2,000 images of each.
        every: epochs between pictures.
        epochs: of the whole run.
        seed: of the latents that the samples are decoded from, the same ones every time.
    """

    def __init__(self, folder: Path, train: np.ndarray, validation: np.ndarray, every: int, epochs: int, seed: int):
        super().__init__()
        self.images = {"train": train[:IMAGES], "validation": validation[:IMAGES]}
        self.every, self.epochs, self.seed = every, epochs, seed
        self.writers = {
            part: tf.summary.create_file_writer(str(folder / part))
            for part, images in self.images.items()
            if len(images)
        }

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        noise = np.random.default_rng(self.seed)
        self.latents = noise.standard_normal((PICTURES, self.model.latent_dim)).astype(np.float32)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        done = epoch + 1
        for part, writer in self.writers.items():
            prefix = "val_" if part == "validation" else ""
            with writer.as_default(step=done):
                for name, value in (logs or {}).items():
                    if name.startswith("val_") == bool(prefix):
                        tf.summary.scalar(name.removeprefix(prefix), value)
                if done == 1 or done % self.every == 0 or done == self.epochs:
                    self._show(self.images[part])
                    if part == "train":
                        samples = decode_latents(self.model, self.latents)
                        tf.summary.image("samples", image_grid(samples, COLUMNS)[None])
            writer.flush()

    def _show(self, images: np.ndarray) -> None:
        posterior = encode_images(self.model, images)
        each = np.mean(kl_to_standard_normal(posterior), axis=0)
        for latent, kl in enumerate(each):
            tf.summary.scalar(f"kl_of_latent/{latent:02d}", kl)
        tf.summary.histogram("kl_of_latents", each)
        originals = images[:PICTURES] / 255.0
        pairs = np.stack([originals, decode_latents(self.model, posterior.mean[:PICTURES])], axis=1)
        tf.summary.image("reconstructions", image_grid(pairs.reshape(-1, *pairs.shape[2:]), COLUMNS)[None])

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        for writer in self.writers.values():
            writer.close()
