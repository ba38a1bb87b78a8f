"""tf.data pipelines: uint8 images in memory, converted to [0, 1] on the way to the model."""

import numpy as np
import tensorflow as tf


def to_unit(images: tf.Tensor) -> tf.Tensor:
    """Pixels in [0, 1], float32, from uint8."""
    return tf.cast(images, tf.float32) / 255.0


def training_batches(
    images: np.ndarray, batch_size: int, seed: int, epochs: int, first_epoch: int = 0, flip: bool = False
) -> tf.data.Dataset:
    """Batches of pixels in [0, 1] for epochs first_epoch .. epochs - 1, one after the other.

    The order within an epoch, and which images are mirrored in it, are functions of (seed, epoch)
    alone, so a run that starts at epoch 7 sees what a run from the start sees there. The
    last batch of an epoch holds what is left. Each epoch is `steps_per_epoch(len(images), batch_size)` batches.

    Args:
        images: (n, height, width, channels) uint8.
        flip: whether each image is mirrored left to right with probability one half, anew in each epoch.
    """
    stored = tf.constant(images)

    def one_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        order = tf.random.experimental.stateless_shuffle(
            tf.range(len(images)), seed=tf.stack([tf.constant(seed, tf.int64), epoch])
        )
        # Seeds are not negative, so this key is no other draw's.
        mirrored = tf.random.stateless_uniform(order.shape, tf.stack([tf.constant(-1 - seed, tf.int64), epoch])) < 0.5
        return tf.data.Dataset.from_tensor_slices((order, mirrored)).batch(batch_size)

    def batch(indices: tf.Tensor, mirrored: tf.Tensor) -> tf.Tensor:
        chosen = tf.gather(stored, indices)
        if flip:
            chosen = tf.where(mirrored[:, None, None, None], tf.reverse(chosen, axis=[2]), chosen)
        return to_unit(chosen)

    return tf.data.Dataset.range(first_epoch, epochs).flat_map(one_epoch).map(batch).prefetch(2)


def evaluation_batches(images: np.ndarray, batch_size: int) -> tf.data.Dataset:
    """Batches of pixels in [0, 1] in the given order, once through."""
    return tf.data.Dataset.from_tensor_slices(images).batch(batch_size).map(to_unit).prefetch(2)


def steps_per_epoch(count: int, batch_size: int) -> int:
    """Batches in an epoch, the last one perhaps smaller."""
    return -(-count // batch_size)
