"""Train images with the augmentation of training, for models that are fitted in closed form."""

import numpy as np

from data.pipelines import reading, training_batches
from vae_keras.config import Config
from vae_keras.run_data import RunData

EPOCHS_SHOWN, MOST_SHOWN, BATCH = 4, 10_000, 256


def shown_in_training(config: Config, data: RunData) -> np.ndarray:
    """Train images as training uses them: (n, height, width, channels) in [0, 1], at most 10,000.

    If training mirrors or shifts images, each image occurs several times.
    """
    epochs = EPOCHS_SHOWN if config.flip or config.shift else 1
    chosen = np.random.default_rng(config.seed).permutation(data.split.train)[: MOST_SHOWN // epochs]
    batches = training_batches(
        data.dataset.images.part(np.sort(chosen)), BATCH, config.seed, epochs, flip=config.flip, shift=config.shift
    )
    shown = np.empty((epochs * len(chosen), *data.dataset.images.image_shape), np.float32)
    start = 0
    with reading():
        for batch in batches:  # a list of batches and their concatenation would need twice the memory
            shown[start : start + len(batch)] = batch
            start += len(batch)
    return shown
