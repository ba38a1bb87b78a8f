"""Keras on TensorFlow, loaded when something of it is used for the first time.

The files that hold the mathematics also hold the names, options and help texts of the command line. `--help` and
wrong flags have to answer at once, so these files take Keras from here: importing them does not load TensorFlow.
Files that define classes of Keras (layers, the model, callbacks) import Keras itself.
"""

import importlib
from typing import TYPE_CHECKING, Any

from common.lazy import LazyModule

# A backend tensor: Keras 3 gives it no static type.
Tensor = Any


class _OnTensorFlow(LazyModule):
    def __getattr__(self, name: str) -> Any:
        check_backend()
        return super().__getattr__(name)


def check_backend() -> None:
    """Refuse a Keras that runs on another backend than TensorFlow.

    Raises:
        ImportError: it does.
    """
    backend = importlib.import_module("keras").backend.backend()
    if backend != "tensorflow":
        raise ImportError(
            f"vae_keras needs Keras on TensorFlow, and Keras runs on {backend}; set KERAS_BACKEND=tensorflow"
        )


if TYPE_CHECKING:
    import keras
    import tensorflow as tf
    from keras import layers, ops
else:
    keras, layers, ops, tf = (_OnTensorFlow(name) for name in ("keras", "keras.layers", "keras.ops", "tensorflow"))

__all__ = ["Tensor", "check_backend", "keras", "layers", "ops", "tf"]
