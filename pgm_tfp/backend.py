"""TensorFlow and TensorFlow Probability, imported without their start-up messages.

They take ten times as long to load as everything else here, and exact inference does not need them. So functions that
need them import this module when they are called.
"""

from common.quiet import import_quietly

tf, tfp = import_quietly("tensorflow", "tensorflow_probability")
tfd = tfp.distributions
