"""Keras on TensorFlow, imported without the start-up chatter; the first import of the package."""

import os

from common.quiet import import_quietly

os.environ["KERAS_BACKEND"] = "tensorflow"

_, keras = import_quietly("tensorflow", "keras")

if keras.backend.backend() != "tensorflow":
    raise ImportError("vae_keras trains with TensorFlow; import it before keras, or set KERAS_BACKEND=tensorflow")
