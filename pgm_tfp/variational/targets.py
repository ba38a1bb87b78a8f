"""What a surrogate is to approximate: p(hidden, evidence) of a network, as TensorFlow computes it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from data.errors import UserError, nearest
from pgm_tfp.conditionals import Table
from pgm_tfp.networks import BayesianNetwork

MOST_STATES = 2**16  # joint states of the hidden discrete variables that are summed over one by one
IMPOSSIBLE = -700.0  # stands for log 0, so that gradients exist: no more than 1e-304


class Target(NamedTuple):
    """log p(z, x, evidence) for continuous hidden variables z and discrete ones x.

    Attributes:
        network: with its evidence it is the posterior that is sought.
        observed: state index or number of each observed variable.
        discrete: names of the hidden discrete variables, in the network's order.
        sizes: their numbers of states.
        continuous: names of the hidden continuous ones.
    """

    network: BayesianNetwork
    observed: dict[str, Any]
    discrete: tuple[str, ...]
    sizes: tuple[int, ...]
    continuous: tuple[str, ...]

    @property
    def states(self) -> int:
        """The number of joint states of the hidden discrete variables."""
        return int(np.prod(self.sizes, dtype=np.int64))

    def grid(self) -> dict[str, np.ndarray]:
        """All joint states x of the discrete variables: by name, state indices (states,)."""
        index = np.indices(self.sizes, dtype=np.int32).reshape(len(self.sizes), self.states)
        return dict(zip(self.discrete, index, strict=True))

    def log_weights(self) -> tf.Tensor:
        """log p(x, evidence) for every x, (states,); for networks whose hidden variables are all discrete."""
        return tf.broadcast_to(log_joint(self.network, {**self.observed, **self.grid()}), (self.states,))

    def log_density(self, z: tf.Tensor) -> tf.Tensor:
        """log p(z, evidence), discrete variables summed out; z (samples, continuous), returns (samples,)."""
        return tf.reduce_logsumexp(self.log_densities(z), -1)

    def log_densities(self, z: tf.Tensor) -> tf.Tensor:
        """log p(z, x, evidence) for every x; z (samples, continuous), returns (samples, states)."""
        columns = tf.unstack(tf.convert_to_tensor(z)[:, :, tf.newaxis], axis=1)
        values = dict(zip(self.continuous, columns, strict=True))
        density = log_joint(self.network, {**self.observed, **self.grid(), **values})
        return tf.broadcast_to(density, (tf.shape(z)[0], self.states))


def target(network: BayesianNetwork, evidence: Mapping[str, Any] | None = None) -> Target:
    """The posterior of a network given evidence: by variable a state, or a number.

    Raises:
        UserError: a variable or a state is unknown, or nothing is hidden.
    """
    observed: dict[str, Any] = {}
    for variable, value in (evidence or {}).items():
        if variable not in network.conditionals:
            raise UserError(f"unknown variable {variable}; {nearest(variable, network.conditionals)}")
        observed[variable] = network.state_index(variable, value) if variable in network.states else np.float64(value)
    hidden = [variable for variable in network.conditionals if variable not in observed]
    if not hidden:
        raise UserError("the evidence names every variable; leave one out for a surrogate to approximate")
    discrete = tuple(variable for variable in hidden if variable in network.states)
    continuous = tuple(variable for variable in hidden if variable not in network.states)
    return Target(network, observed, discrete, tuple(len(network.states[name]) for name in discrete), continuous)


def log_joint(network: BayesianNetwork, values: Mapping[str, Any]) -> tf.Tensor:
    """log p(values): state indices and numbers for all variables, of shapes that broadcast; log 0 is -700."""
    total = tf.zeros((), tf.float64)
    for variable, conditional in network.conditionals.items():
        given = [values[parent] for parent in conditional.parents]
        if isinstance(conditional, Table):
            with np.errstate(divide="ignore"):
                logs = np.maximum(np.log(conditional.probabilities), IMPOSSIBLE)
            total += tf.gather(logs.ravel(), flat_index((*given, values[variable]), logs.shape))
        else:
            total += tf.cast(conditional(*given).log_prob(values[variable]), tf.float64)
    return total


def flat_index(indices: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    """Where a cell of a table lies once the table is one row; indices broadcast."""
    flat = 0
    for index, size in zip(indices, shape, strict=True):
        flat = flat * size + index
    return flat
