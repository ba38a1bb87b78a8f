"""The replicas of a training step: copies of the model on several devices, each with some rows of the batch.

An objective may need the whole batch: its mean KL, the mixture of its posteriors, a permutation across it. So every
replica gets the latents and the terms of the whole batch, and computes the loss of the whole batch. Keras's optimisers
add up the gradients of the replicas. With W replicas, each minimises L / W, where L is the loss of the whole batch, and

    sum over replicas of d(L / W) / d(weights) = dL / d(weights)

holds for weights that are used before the values are gathered and for weights that are used after, if the gradient of
`whole_batch` is that of the sum over replicas. Random numbers are drawn for the whole batch, and each replica takes
those of its rows. So a step on W devices is the step on one device, to rounding.

Outside a strategy of TensorFlow there is one replica, which has all rows.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from vae_keras.backend import Tensor


class Rows(NamedTuple):
    """The rows of the batch that this replica has, all ().

    Attributes:
        first: index of its first row in the batch.
        count: number of its rows; 0 is possible.
        batch: number of rows of the batch.
    """

    first: Tensor
    count: Tensor
    batch: Tensor


def replica_count() -> int:
    """The number of replicas of the step that is being computed; 1 outside a step on several devices."""
    context = tf.distribute.get_replica_context()
    return context.num_replicas_in_sync if context else 1


def own_rows(count: Tensor) -> Rows:
    """The rows of this replica, which has `count` of them, (). The batch has its replicas' rows in their order."""
    place = tf.distribute.get_replica_context().replica_id_in_sync_group
    counts = all_sum(count * tf.one_hot(place, replica_count(), dtype=tf.int32))
    return Rows(tf.reduce_sum(tf.where(tf.range(replica_count()) < place, counts, 0)), count, tf.reduce_sum(counts))


def whole_batch(values: Any) -> Any:
    """The rows of all replicas in the place of this replica's rows, differentiable; the same on each replica.

    Args:
        values: a structure of float tensors, (rows, ...) each.
    """
    if replica_count() == 1:
        return values
    tensors = tf.nest.flatten(values)
    rows = own_rows(tf.shape(tensors[0])[0])
    # One message for all tensors, as columns of a matrix.
    columns = [tf.reshape(tensor, (rows.count, tensor.shape[1:].num_elements())) for tensor in tensors]
    gathered = tf.split(_gathered(tf.concat(columns, axis=1), rows), [part.shape[1] for part in columns], axis=1)
    shaped = [tf.reshape(part, (-1, *tensor.shape[1:])) for part, tensor in zip(gathered, tensors, strict=True)]
    return tf.nest.pack_sequence_as(values, shaped)


def _gathered(own: Tensor, rows: Rows) -> Tensor:
    """The rows of all replicas, (batch, columns), from those of this replica, (rows, columns)."""

    @tf.custom_gradient
    def gather(own: Tensor) -> Any:
        padded = tf.pad(own, [[rows.first, rows.batch - rows.first - rows.count], [0, 0]])
        # Every replica computes the same loss of the same rows, so the sum of their gradients needs no message.
        return all_sum(padded), lambda upstream: replica_count() * upstream[rows.first : rows.first + rows.count]

    return gather(own)


def all_sum(value: Tensor) -> Tensor:
    """The sum over all replicas."""
    # An argument of a step is on no device until an operation puts it there.
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, tf.identity(value))


def drawn_for_rows(draw: Callable[[tuple[Any, ...]], Tensor], shape: Tensor) -> Tensor:
    """Random numbers for this replica's rows, which are those that one replica with the whole batch would draw.

    Args:
        draw: gives random numbers of a shape.
        shape: of this replica's numbers; the first entry counts rows.
    """
    if replica_count() == 1:
        return draw(shape)
    rows = own_rows(shape[0])
    return draw((rows.batch, *shape[1:]))[rows.first : rows.first + rows.count]
