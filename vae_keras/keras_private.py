"""Every use of a private API of Keras, in one place.

Each entry names the version of Keras in which it was seen, and says why no public API serves. The tests of an entry in
tests/vae_keras/test_keras_private.py have its name. They fail if a new version of Keras changes what the entry relies
on.
"""

from typing import Any

import keras
from keras.src.backend.common import global_state
from keras.src.saving import saving_lib

# Keras lists the attributes that it leaves out of a saved file for each of these kinds of object.
KINDS = ("Operation", "Layer", "Functional", "Sequential", "Metric", "Optimizer", "Loss")


class GradientsOfAllReplicas(keras.optimizers.Optimizer):
    """An optimiser whose `whole_gradients` sees the sum of the gradients of all replicas. List it before Keras's class.

    Seen in Keras 3.15.1, which adds up the gradients of the replicas in this method, after `apply`. Keras has no public
    way to change a gradient after it is summed and before it is used.
    """

    def whole_gradients(self, grads: list[Any]) -> list[Any]:
        """The gradients that the step uses, from those of the whole batch, one for each variable or None."""
        raise NotImplementedError

    def _all_reduce_sum_gradients(self, grads_and_vars: Any) -> list[tuple[Any, Any]]:
        summed = super()._all_reduce_sum_gradients(grads_and_vars)
        return list(zip(self.whole_gradients([grad for grad, _ in summed]), [own for _, own in summed], strict=True))


def without_symbolic_build(model: Any) -> None:
    """Let `fit` of a model that is built take batches of any size on several devices.

    Seen in Keras 3.15.1, whose `fit` computes the mean of the devices' batches in order to build the model. This fails
    where the batches have different sizes, and with several processes (Keras issue 20585). Keras has no public way
    around it, although a model that is built does not need it.
    """
    model._maybe_symbolic_build = lambda iterator=None, data_batch=None: None


def remember_skipped_attributes() -> None:
    """Let Keras find its lists of the attributes that it leaves out of a saved file.

    Seen in Keras 3.15.1, which stores each list under one name and looks for it under another. So every save creates a
    new optimizer, layer and metric to list their attributes, and Keras never frees the memory of their variables. Keras
    has no public access to these lists.
    """
    for kind in KINDS:
        skipped = saving_lib.get_attr_skipset(kind)
        global_state.set_global_attribute(f"saving_attr_skiplist_{kind}", skipped)
