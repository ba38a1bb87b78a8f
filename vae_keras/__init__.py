"""Variational autoencoders on faces, in Keras 3.

Importing the package does not load Keras. `VAE`, `build_vae` and `load_run` load it when they are first used.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from wrapt import register_post_import_hook

from common.quiet import standard_error_set_aside

if TYPE_CHECKING:
    from vae_keras import metrics
    from vae_keras.directions import saved_directions
    from vae_keras.model import VAE, build_vae
    from vae_keras.pictures import read_picture, save_picture
    from vae_keras.prior_fitting import fitted_prior
    from vae_keras.runs import load_run

_DEFINED_IN = {
    "VAE": "vae_keras.model",
    "build_vae": "vae_keras.model",
    "fitted_prior": "vae_keras.prior_fitting",
    "load_run": "vae_keras.runs",
    "read_picture": "vae_keras.pictures",
    "save_picture": "vae_keras.pictures",
    "saved_directions": "vae_keras.directions",
}

__all__ = [
    "VAE",
    "build_vae",
    "fitted_prior",
    "load_run",
    "metrics",
    "read_picture",
    "save_picture",
    "saved_directions",
]


def __getattr__(name: str) -> Any:
    if name in _DEFINED_IN:
        _load_tensorflow()
        return getattr(import_module(_DEFINED_IN[name]), name)
    if name == "metrics":
        return import_module("vae_keras.metrics")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _load_tensorflow() -> None:
    """Load TensorFlow without the lines about CPUs and missing GPUs that its C++ code writes to standard error.

    It writes some of them when it looks for devices, which it does before its first operation.
    """
    if "tensorflow" not in sys.modules:
        with standard_error_set_aside():
            import_module("tensorflow").config.list_physical_devices()


# Keras loads a saved VAE once its classes are registered, which importing the model does. Whoever imports this package
# and Keras can load a saved VAE with `keras.saving.load_model`.
register_post_import_hook(lambda _: import_module("vae_keras.model"), "keras")
