"""Unconstrained coordinates of continuous variables."""

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from common.errors import UserError

tfd, tfb = tfp.distributions, tfp.bijectors


def bijector_of(distribution: tfp.distributions.Distribution) -> tfp.bijectors.Bijector | None:
    """The map from unconstrained coordinates onto the distribution's support; None where the support is discrete.

    TensorFlow Probability has this map, with three exceptions. It has none for mixtures; their components share one.
    Its map for truncated distributions needs two finite bounds. And the Jacobian of its `SoftmaxCentered` measures
    volume on the simplex, while a Dirichlet's density is over the first k - 1 coordinates. The two differ by sqrt(k).
    `IteratedSigmoidCentered` has the Jacobian for those coordinates.
    """
    if isinstance(distribution, (tfd.TruncatedNormal, tfd.TruncatedCauchy)):
        return _between(distribution.low, distribution.high)
    bijector = distribution.experimental_default_event_space_bijector()
    if bijector is None and isinstance(distribution, tfd.MixtureSameFamily):
        return bijector_of(distribution.components_distribution)
    if bijector is None and isinstance(distribution, tfd.Mixture):
        return bijector_of(distribution.components[0])
    if isinstance(distribution, tfd.Sample) and isinstance(
        distribution.distribution.experimental_default_event_space_bijector(), tfb.SoftmaxCentered
    ):
        raise UserError("a Sample of distributions over a simplex is not supported; give each a variable of its own")
    return tfb.IteratedSigmoidCentered() if isinstance(bijector, tfb.SoftmaxCentered) else bijector


def _between(low: tf.Tensor, high: tf.Tensor) -> tfp.bijectors.Bijector:
    """The map onto the numbers between two bounds, one of which may be infinite.

    A bound that depends on other variables counts as finite.
    """
    known = [tf.get_static_value(bound) for bound in (low, high)]
    below, above = (value is not None and bool(np.isinf(value).all()) for value in known)
    if above:
        return tfb.Chain([tfb.Shift(low), tfb.Softplus()])
    if below:
        return tfb.Chain([tfb.Shift(high), tfb.Scale(tf.constant(-1.0, high.dtype)), tfb.Softplus()])
    return tfb.Sigmoid(low, high)


def coordinates(variable: str, distribution: tfp.distributions.Distribution) -> tfp.bijectors.Bijector:
    """The map of `bijector_of` for a continuous variable; UserError where there is none."""
    bijector = bijector_of(distribution)
    if bijector is None:
        raise UserError(
            f"{variable}: a hidden {type(distribution).__name__} has no unconstrained coordinates; observe it"
        )
    return bijector
