"""tf.data pipelines: uint8 images in memory, moved about where that is asked for, converted to [0, 1]."""

import numpy as np
import tensorflow as tf


def to_unit(images: tf.Tensor) -> tf.Tensor:
    """Pixels in [0, 1], float32, from uint8."""
    return tf.cast(images, tf.float32) / 255.0


def training_batches(
    images: np.ndarray,
    batch_size: int,
    seed: int,
    epochs: int,
    first_epoch: int = 0,
    flip: bool = False,
    shift: int = 0,
) -> tf.data.Dataset:
    """Batches of pixels in [0, 1] for epochs first_epoch .. epochs - 1, one after the other.

    The order within an epoch, and how each image is moved in it, are functions of (seed, epoch)
    alone, so a run that starts at epoch 7 sees what a run from the start sees there. The
    last batch of an epoch holds what is left. Each epoch is `steps_per_epoch(len(images), batch_size)` batches.

    Args:
        images: (n, height, width, channels) uint8.
        flip: whether each image is mirrored left to right with probability one half, anew in each epoch.
        shift: each image is moved by up to so many pixels each way, all whole numbers alike, anew in each epoch;
            what comes into view repeats the edge.
    """
    stored = tf.constant(images)
    count, height, width = images.shape[:3]

    def one_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        # Seeds are not negative, so the keys of the second and third draws are no other's.
        draws = [tf.stack([tf.constant(key, tf.int64), epoch]) for key in (seed, -1 - seed, -1 - seed - 2**20)]
        order = tf.random.experimental.stateless_shuffle(tf.range(count), seed=draws[0])
        mirrored = tf.random.stateless_uniform((count,), draws[1]) < (0.5 if flip else 0.0)
        moved = tf.random.stateless_uniform((count, 2), draws[2], -shift, shift + 1, tf.int32)
        return tf.data.Dataset.from_tensor_slices((order, mirrored, moved)).batch(batch_size)

    def batch(indices: tf.Tensor, mirrored: tf.Tensor, moved: tf.Tensor) -> tf.Tensor:
        chosen = tf.gather(stored, indices)
        if flip or shift:
            # The row and the column that each pixel is taken from, (batch, height) and (batch, width).
            rows = tf.range(height) + moved[:, :1]
            columns = tf.where(mirrored[:, None], tf.range(width)[::-1], tf.range(width)) + moved[:, 1:]
            chosen = tf.gather(chosen, tf.clip_by_value(rows, 0, height - 1), axis=1, batch_dims=1)
            chosen = tf.gather(chosen, tf.clip_by_value(columns, 0, width - 1), axis=2, batch_dims=1)
        return to_unit(chosen)

    return tf.data.Dataset.range(first_epoch, epochs).flat_map(one_epoch).map(batch).prefetch(2)


def evaluation_batches(images: np.ndarray, batch_size: int) -> tf.data.Dataset:
    """Batches of pixels in [0, 1] in the given order, once through."""
    return tf.data.Dataset.from_tensor_slices(images).batch(batch_size).map(to_unit).prefetch(2)


def steps_per_epoch(count: int, batch_size: int) -> int:
    """Batches in an epoch, the last one perhaps smaller."""
    return -(-count // batch_size)
