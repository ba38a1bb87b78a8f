"""TensorFlow and TensorFlow Probability, imported without the start-up chatter, where something needs them.

They take ten times as long to load as everything else here, and exact inference does without.
"""

from common.quiet import import_quietly

tf, tfp = import_quietly("tensorflow", "tensorflow_probability")
tfd = tfp.distributions
