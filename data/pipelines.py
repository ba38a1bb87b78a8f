"""tf.data pipelines: uint8 images in memory, converted to [0, 1] on the way to the model."""

import numpy as np
import tensorflow as tf


def to_unit(images: tf.Tensor) -> tf.Tensor:
    """Pixels in [0, 1], float32, from uint8."""
    return tf.cast(images, tf.float32) / 255.0


def training_batches(
    images: np.ndarray, batch_size: int, seed: int, epochs: int, first_epoch: int = 0
) -> tf.data.Dataset:
    """Batches of pixels in [0, 1] for epochs first_epoch .. epochs - 1, one after the other.

    The order within an epoch is a function of (seed, epoch) alone, so a run that starts
    at epoch 7 sees what a run from the start sees there. The last batch of an
    epoch holds what is left. Each epoch is `steps_per_epoch(len(images), batch_size)` batches.

    Args:
        images: (n, height, width, channels) uint8.
    """
    stored = tf.constant(images)

    def one_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        order = tf.random.experimental.stateless_shuffle(
            tf.range(len(images)), seed=tf.stack([tf.constant(seed, tf.int64), epoch])
        )
        return tf.data.Dataset.from_tensor_slices(order).batch(batch_size)

    return (
        tf.data.Dataset.range(first_epoch, epochs)
        .flat_map(one_epoch)
        .map(lambda indices: to_unit(tf.gather(stored, indices)))
        .prefetch(2)
    )


def evaluation_batches(images: np.ndarray, batch_size: int) -> tf.data.Dataset:
    """Batches of pixels in [0, 1] in the given order, once through."""
    return tf.data.Dataset.from_tensor_slices(images).batch(batch_size).map(to_unit).prefetch(2)


def steps_per_epoch(count: int, batch_size: int) -> int:
    """Batches in an epoch, the last one perhaps smaller."""
    return -(-count // batch_size)
