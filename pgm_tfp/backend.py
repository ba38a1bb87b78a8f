"""TensorFlow and TensorFlow Probability under short names.

Functions import them from here when they need them, not at the top of a module: they take ten times as long to load as
everything else in the package, and exact inference does without.
"""

import tensorflow as tf
import tensorflow_probability as tfp

tfd = tfp.distributions

__all__ = ["tf", "tfd", "tfp"]
