"""tf.data pipelines: batches of pixels in [0, 1] from uint8 images, read ahead, mirrored and shifted on request.

This is the only module of `data` that uses TensorFlow, which it loads when the first batch is asked for.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from common.errors import UserError
from common.lazy import LazyModule
from data.images import Images, images_of

if TYPE_CHECKING:
    import tensorflow as tf
else:
    tf = LazyModule("tensorflow")


class Share(NamedTuple):
    """The part of each batch that one process trains on: `last - first` pieces out of `pieces`, one for each device."""

    first: int = 0
    last: int = 1
    pieces: int = 1


def to_unit(images: "tf.Tensor") -> "tf.Tensor":
    """uint8 pixels as float32 in [0, 1]."""
    return tf.cast(images, tf.float32) / 255.0


def training_batches(
    images: Images | np.ndarray,
    batch_size: int,
    seed: int,
    epochs: int,
    first_epoch: int = 0,
    flip: bool = False,
    shift: int = 0,
    share: Share = Share(),  # noqa: B008 (immutable)
) -> "tf.data.Dataset":
    """Batches of pixels in [0, 1] for the epochs first_epoch .. epochs - 1.

    The order of the images in an epoch, and how each image is mirrored and shifted, depend on (seed, epoch) alone. A
    run that is resumed at epoch 7 therefore gets the same batches as a run without interruption. Each epoch has
    `steps_per_epoch(len(images), batch_size)` batches; its last batch may be smaller.

    Args:
        images: n images of uint8 pixels.
        batch_size: images in a batch.
        seed: of the order, the mirroring and the shifts.
        epochs: the epoch after the last one.
        first_epoch: the epoch to begin with.
        flip: mirror each image left to right with probability 1/2, drawn again in every epoch.
        shift: move each image by a whole number of pixels, uniform in [-shift, shift] in each direction, drawn again
            in every epoch. The pixels of the edge are repeated.
        share: the pieces of each batch that are wanted. They follow each other in the result; other pieces are not
            read.
    """
    images = images_of(images)
    count, (height, width, _) = images.count, images.image_shape

    def one_epoch(epoch: "tf.Tensor") -> "tf.data.Dataset":
        # Three independent draws for each epoch. `seed` is from 0 to 2^20 - 1, so the three keys are different for all
        # seeds: no draw of one seed repeats another draw of another seed.
        draws = [tf.stack([tf.constant(key, tf.int64), epoch]) for key in (seed, -1 - seed, -1 - seed - 2**20)]
        order = tf.random.experimental.stateless_shuffle(tf.range(count), seed=draws[0])
        mirrored = tf.random.stateless_uniform((count,), draws[1]) < (0.5 if flip else 0.0)
        moved = tf.random.stateless_uniform((count, 2), draws[2], -shift, shift + 1, tf.int32)
        return tf.data.Dataset.from_tensor_slices((order, mirrored, moved)).batch(batch_size)

    def batch(indices: "tf.Tensor", mirrored: "tf.Tensor", moved: "tf.Tensor") -> "tf.Tensor":
        chosen = _read(images, indices)
        if flip or shift:
            # The source row and the source column of each pixel, (batch, height) and (batch, width).
            rows = tf.range(height) + moved[:, :1]
            columns = tf.where(mirrored[:, None], tf.range(width)[::-1], tf.range(width)) + moved[:, 1:]
            chosen = tf.gather(chosen, tf.clip_by_value(rows, 0, height - 1), axis=1, batch_dims=1)
            chosen = tf.gather(chosen, tf.clip_by_value(columns, 0, width - 1), axis=2, batch_dims=1)
        return to_unit(chosen)

    batches = tf.data.Dataset.range(first_epoch, epochs).flat_map(one_epoch)
    return _read_ahead(_pieces(batches, share).map(batch))


def evaluation_batches(
    images: Images | np.ndarray,
    batch_size: int,
    share: Share = Share(),  # noqa: B008 (immutable)
) -> "tf.data.Dataset":
    """One pass over uint8 images in their order, in batches of pixels in [0, 1], or the wanted pieces of each batch."""
    images = images_of(images)
    places = _pieces(tf.data.Dataset.range(images.count).batch(batch_size).map(lambda indices: (indices,)), share)
    return _read_ahead(places.map(lambda indices: to_unit(_read(images, indices))))


def _read_ahead(batches: "tf.data.Dataset") -> "tf.data.Dataset":
    """These batches, the next two of them read while one is used."""
    options = tf.data.Options()
    # Without tuning, since the number of batches read ahead is given. The thread that tunes sleeps up to a minute. On a
    # busy machine it sometimes misses the signal to end, and whoever ends the pipeline waits until it wakes.
    options.autotune.enabled = False
    return batches.prefetch(2).with_options(options)


def _pieces(batches: "tf.data.Dataset", share: Share) -> "tf.data.Dataset":
    """Each batch, a tuple of tensors, cut into pieces whose sizes differ by at most one; the pieces of this share."""

    def cut(*batch: "tf.Tensor") -> "tf.data.Dataset":
        count = tf.shape(batch[0], tf.int64)[0]

        def piece(number: "tf.Tensor") -> tuple["tf.Tensor", ...]:
            first, after = (count * edge // share.pieces for edge in (number, number + 1))
            return tuple(tensor[first:after] for tensor in batch)

        return tf.data.Dataset.range(share.first, share.last).map(piece)

    return batches if share.pieces == 1 else batches.flat_map(cut)


def _read(images: Images, indices: "tf.Tensor") -> "tf.Tensor":
    """The images at these indices (batch,): (batch, height, width, channels)."""

    def read(indices: np.ndarray) -> np.ndarray:
        try:
            return images.batch(indices)
        except UserError as reason:
            _refusals.append(reason)
            raise

    pixels = tf.numpy_function(read, [indices], images.dtype, stateful=False)
    pixels.set_shape((indices.shape[0], *images.image_shape))
    return pixels


_refusals: list[UserError] = []


@contextmanager
def reading() -> Iterator[None]:
    """Where a pipeline runs: raises the UserError of images that cannot be read, which TensorFlow makes its own."""
    _refusals.clear()
    try:
        yield
    except tf.errors.OpError:
        if _refusals:
            raise _refusals.pop() from None
        raise


def steps_per_epoch(count: int, batch_size: int) -> int:
    """The number of batches in an epoch; the last batch may be smaller."""
    return -(-count // batch_size)
