"""Train on several devices, with TensorFlow's strategies: the devices of this machine, or one process on each machine.

Each device has a copy of the weights and a piece of each batch; after each step all copies are equal. What a step needs
to know of the other devices is in `vae_keras.replicas`. The batch size is that of all devices together, so a run has
the same settings, the same steps and, to rounding, the same weights on any number of devices.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras
import tensorflow as tf

from common.errors import UserError
from data.pipelines import Share
from vae_keras.cluster import Cluster
from vae_keras.keras_private import without_symbolic_build
from vae_keras.model import VAE
from vae_keras.replicas import all_sum


class Devices:
    """The devices on which a run is trained. This class is one device, or what TensorFlow makes of several by itself.

    Attributes:
        count: number of devices, which is that of pieces of a batch.
        is_chief: whether this process writes the run.
    """

    count = 1
    is_chief = True

    def scope(self) -> AbstractContextManager[Any]:
        """Models that are made in the block have a copy on each device."""
        return nullcontext()

    def batches(self, pieces: Callable[[Share], tf.data.Dataset]) -> Any:
        """The batches for `fit`, from a function that gives the pieces of a share."""
        return pieces(Share())

    def prepare(self, vae: VAE) -> None:
        """Make a compiled VAE ready for `fit`."""

    def any_asks(self, asked: bool) -> bool:
        """Whether any process asks; every process has to call this."""
        return asked


class Replicated(Devices):
    """Devices with a copy of the model each.

    Args:
        strategy: of TensorFlow.
        is_chief: whether this process writes the run.
    """

    def __init__(self, strategy: tf.distribute.Strategy, is_chief: bool = True):
        self.strategy, self.is_chief = strategy, is_chief
        self.count = strategy.num_replicas_in_sync
        self._sum = tf.function(all_sum)

    def scope(self) -> AbstractContextManager[Any]:
        return self.strategy.scope()

    def batches(self, pieces: Callable[[Share], tf.data.Dataset]) -> Any:
        def of_this_process(context: tf.distribute.InputContext) -> tf.data.Dataset:
            own = self.count // context.num_input_pipelines
            first = own * context.input_pipeline_id
            return pieces(Share(first, first + own, self.count))

        # All processes have the same number of pieces; without this they ask each other before each step.
        self.strategy.extended.experimental_enable_get_next_as_optional = False
        return self.strategy.distribute_datasets_from_function(of_this_process)

    def prepare(self, vae: VAE) -> None:
        """Make a compiled VAE ready for `fit`: the weights of the first device on all, and steps on all devices.

        Raises:
            UserError: the VAE was saved when its batch normalisation was that of Keras, which sees one device.
        """
        layers = [*vae.encoder.layers, *vae.decoder.layers]
        if any(type(layer) is keras.layers.BatchNormalization for layer in layers):
            raise UserError(
                "this run is of an earlier version, whose batch normalisation sees one device; go on without "
                "--distribute, or train a new run"
            )
        with self.scope():
            vae.optimizer.build(vae.trainable_variables)
        self._copy_from_first([*vae.weights, *vae.optimizer.variables])
        without_symbolic_build(vae)
        vae.train_function = self._on_all_devices(vae.train_step)
        vae.test_function = self._on_all_devices(vae.test_step)

    def _on_all_devices(self, step: Callable[[Any], dict[str, tf.Tensor]]) -> Callable[[Iterator[Any]], Any]:
        """A function for Keras's `fit` that takes the next batch and computes one step.

        Keras's own function would compute the mean of the devices' results. Here all devices have the same results,
        because each computes those of the whole batch.
        """

        @tf.function
        def on(batch: Any) -> dict[str, tf.Tensor]:
            results = self.strategy.run(step, args=(batch,))
            return {name: self.strategy.experimental_local_results(value)[0] for name, value in results.items()}

        # The batch is taken outside of the function: inside, steps are counted also when no batch is left.
        return lambda iterator: on(next(iterator))

    def _copy_from_first(self, variables: list[Any]) -> None:
        """Give all devices the values of the first one. Two machines may compute the start with other rounding."""

        @tf.function
        def of_the_first() -> list[tf.Tensor]:
            is_first = tf.distribute.get_replica_context().replica_id_in_sync_group == 0
            values = [tf.convert_to_tensor(variable.value) for variable in variables]
            # TensorFlow sums no unsigned numbers, which are the states of random generators.
            values = [tf.cast(value, tf.int64) if value.dtype.is_integer else value for value in values]
            return [all_sum(tf.where(is_first, value, tf.zeros_like(value))) for value in values]

        for variable, value in zip(variables, self.strategy.run(of_the_first), strict=True):
            value = self.strategy.experimental_local_results(value)[0]
            variable.assign(tf.cast(value, variable.dtype))

    def any_asks(self, asked: bool) -> bool:
        asking = self.strategy.run(self._sum, args=(tf.constant(int(asked)),))
        return int(self.strategy.experimental_local_results(asking)[0]) > 0


def multi_worker(cluster: Cluster) -> Devices:
    """The devices of all machines of a cluster.

    Raises:
        UserError: TensorFlow cannot listen on the port of this worker.
    """
    try:
        return Replicated(tf.distribute.MultiWorkerMirroredStrategy(), cluster.is_chief)
    except (tf.errors.UnknownError, tf.errors.UnavailableError) as reason:
        name = cluster.name(cluster.index)
        message = f"TensorFlow cannot start {name} ({reason.message}); name another port in TF_CONFIG"
        raise UserError(message) from reason


def count_of_gpus() -> int:
    """The number of GPUs of this machine that TensorFlow sees."""
    return len(tf.config.list_physical_devices("GPU"))


def mirrored() -> Devices:
    """All devices of this machine; see `devices_of_this_machine`."""
    return Replicated(tf.distribute.MirroredStrategy(devices_of_this_machine()))


def devices_of_this_machine() -> list[str]:
    """The names of its GPUs, or else of its CPUs as TensorFlow divides them.

    Raises:
        UserError: there is only one.
    """
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(devices) < 2:
        kind = devices[0].device_type
        raise UserError(f"--distribute mirrored: this machine has one {kind}; leave the flag out")
    return [device.name for device in devices]
