"""The density of a target: log p(u, x, evidence) in unconstrained coordinates u, as TensorFlow computes it.

Continuous variables are moved to unconstrained coordinates u in R^d, where optimisers, samplers and grids need no
bounds. TensorFlow Probability has a bijector b onto each distribution's support, and with z = b(u)

    log p(u) = log p(z) + log |det db/du|

(Kucukelbir et al. 2017, "Automatic differentiation variational inference", section 2.3).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from common.errors import UserError
from pgm_tfp.conditionals import log_density
from pgm_tfp.variational.coordinates import coordinates
from pgm_tfp.variational.given import log_of
from pgm_tfp.variational.prior_draws import WithPrior

SMALL_SHARE = 1e-3  # of the log density, added to that of a component


class Term(NamedTuple):
    """The term of one variable in log p(u, x, evidence).

    Attributes:
        distribution: of the variable, given its parents.
        value: of the variable, (samples, states or 1, *event).
        log_density: in unconstrained coordinates, (samples, states or 1).
        log_jacobian: its share log |det db/du|.
    """

    variable: str
    distribution: tfp.distributions.Distribution
    value: Any
    log_density: tf.Tensor
    log_jacobian: Any


def components(distribution: tfp.distributions.Distribution, value: Any, log_jacobian: Any) -> list[tf.Tensor]:
    """The log density of each component of a mixture, (samples, states or 1, components); empty for others."""
    if isinstance(distribution, tfp.distributions.MixtureSameFamily):
        family = distribution.components_distribution
        at = tf.expand_dims(tf.cast(value, family.dtype), -1 - len(distribution.event_shape))
        logs = tf.cast(family.log_prob(at), tf.float64)
    elif isinstance(distribution, tfp.distributions.Mixture):
        logs = tf.stack([log_density(component, value) for component in distribution.components], -1)
    else:
        return []
    if tf.is_tensor(log_jacobian):
        logs += log_jacobian[..., tf.newaxis]
    return [logs]


@dataclass(frozen=True, eq=False)
class WithDensity(WithPrior):
    """A network with evidence, and log p(z, x, evidence) for continuous hidden variables z and discrete ones x."""

    @property
    def dimensions(self) -> int:
        """d, the number of unconstrained coordinates."""
        return sum(prod(shape) for shape in self._unconstrained_shapes.values())

    def log_density(self, u: tf.Tensor) -> tf.Tensor:
        """log p(u, evidence), discrete variables summed out; u (samples, d), returns (samples,)."""
        return tf.reduce_logsumexp(self.log_densities(u), -1)

    def log_densities(self, u: tf.Tensor) -> tf.Tensor:
        """log p(u, x, evidence) for every joint state x of the interface; u (samples, d), returns (samples, states)."""
        u = tf.convert_to_tensor(u, tf.float64)
        total = tf.constant(self._interface_log_weights)
        for term in self._terms(u):
            total += term.log_density
        return tf.broadcast_to(total, (tf.shape(u)[0], self.interface_states))

    def component_logs(self, u: tf.Tensor) -> tf.Tensor:
        """The log density of each component of every mixture, alone; u (samples, d), returns (samples, components).

        A small share of log p(u, evidence) is added, which decides where the component is constant. For each component
        it is the highest over the states of the interface.
        """
        u = tf.convert_to_tensor(u, tf.float64)
        alone, total = [], tf.constant(self._interface_log_weights)
        for term in self._terms(u):
            total += term.log_density
            alone += [tf.reduce_max(logs, 1) for logs in components(term.distribution, term.value, term.log_jacobian)]
        if not alone:
            return tf.zeros((tf.shape(u)[0], 0), tf.float64)
        return tf.concat(alone, -1) + SMALL_SHARE * tf.reduce_logsumexp(total, -1, keepdims=True)

    def check_numbers(self, u: np.ndarray) -> None:
        """Raise UserError, naming the variable, where a log density or its gradient is NaN at u (samples, d)."""
        u = tf.constant(u, tf.float64)
        for variable in self.network.conditionals:
            if variable in self.factors:
                continue
            with tf.GradientTape() as tape:
                tape.watch(u)
                density = {term.variable: term.log_density for term in self._terms(u)}[variable]
                finite = tf.where(tf.math.is_finite(density), density, tf.zeros_like(density))
            gradient = tape.gradient(finite, u)
            if np.isnan(density).any() or (gradient is not None and np.isnan(gradient).any()):
                raise UserError(
                    f"{variable}: its log density, or the gradient of its log density, is not a number (NaN) at a "
                    "value that the posterior may take; check the parameters of its distribution, and that its mass "
                    "does not lie where float64 rounds to the end of its support"
                )

    def _terms(self, u: tf.Tensor) -> Iterator["Term"]:
        """The term of every variable without a factor; u (samples, d)."""
        values: dict[str, Any] = {**self.observed, **self.grid(self.interface)}
        place = 0
        for variable in self.network.conditionals:
            if variable in self.factors:
                continue
            distribution = self._distribution(variable, values)
            if variable in self.continuous:
                shape = self._unconstrained_shapes[variable]
                own = u[:, place : place + prod(shape)]
                place += prod(shape)
                # the axis between samples and event is for the states of the interface
                own = tf.reshape(own, (tf.shape(u)[0], 1, *shape))
                bijector = coordinates(variable, distribution)
                values[variable] = bijector.forward(own)
                # log p(u) = log p(z) + log |det db/du|
                jacobian = bijector.forward_log_det_jacobian(own, event_ndims=len(shape))
            else:
                jacobian = 0.0
            total = log_density(distribution, values[variable]) + jacobian
            if variable in self.likelihoods:
                total += tf.gather(log_of(self.likelihoods[variable]), values[variable])
            yield Term(variable, distribution, values[variable], total, jacobian)
