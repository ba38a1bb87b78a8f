"""The target of approximate inference: log p(hidden, evidence) of a network, as TensorFlow computes it.

Continuous variables are moved to unconstrained coordinates u in R^d, where optimisers, samplers and grids need no
bounds. With the bijector b that TensorFlow Probability knows for each distribution's support, z = b(u) and

    log p(u) = log p(z) + log |det db/du|

(Kucukelbir et al. 2017, "Automatic differentiation variational inference", section 2.3). Discrete variables that no
density depends on are eliminated exactly; the others are summed over one by one.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from common.errors import UserError, nearest
from pgm_tfp import elimination, exact
from pgm_tfp.conditionals import Conditional, Table, log_density, naming
from pgm_tfp.exact.evidence import read_evidence
from pgm_tfp.networks import BayesianNetwork, number_of
from pgm_tfp.potentials import Potential
from pgm_tfp.variational.coordinates import coordinates
from pgm_tfp.variational.truncation import (
    MOST_VALUES,
    POSTERIOR_TAIL,
    Truncation,
    countable_variables,
    prior_truncation,
    truncated,
)

log = logging.getLogger(__name__)

MOST_STATES = 2**16  # joint states of hidden discrete variables that are summed over one by one
MOST_HYBRID_STATES = 2**10  # the same, where the sum is taken at each of thousands of continuous draws
IMPOSSIBLE = -700.0  # replaces log 0 below a factor's largest entry, so that gradients exist: 1e-304
PRIOR_DRAWS = 1_000
CHECKED = 100  # draws of the prior at which densities are checked for NaN


@dataclass(frozen=True, eq=False)
class Target:
    """log p(z, x, evidence) for continuous hidden variables z and discrete ones x.

    Attributes:
        network: the network; countable variables are cut off, see `truncations`.
        original: the network as it was given.
        evidence: as it was given.
        observed: state index, or float64 array, of each observed variable.
        likelihoods: soft evidence: by variable the likelihood of each state.
        discrete: names of the hidden discrete variables, in the network's order.
        sizes: their numbers of states.
        continuous: names of the hidden continuous variables.
        truncations: by countable variable (Poisson, ...), how far it is summed and what that leaves out.
    """

    network: BayesianNetwork
    original: BayesianNetwork
    evidence: Mapping[str, Any]
    observed: dict[str, Any]
    likelihoods: dict[str, np.ndarray]
    discrete: tuple[str, ...]
    sizes: tuple[int, ...]
    continuous: tuple[str, ...]
    truncations: dict[str, Truncation]

    @property
    def states(self) -> int:
        """The number of joint states of the hidden discrete variables."""
        return prod(self.sizes)

    @cached_property
    def factors(self) -> dict[str, Potential]:
        """log p(variable | parents) as tables over hidden discrete variables, where no hidden continuous one matters.

        Soft evidence on a variable is part of its factor. Entries are -inf where a state is impossible.
        """
        return {
            variable: self._factor(variable)
            for variable, conditional in self.network.conditionals.items()
            if not {variable, *conditional.parents} & set(self.continuous)
        }

    @cached_property
    def interface(self) -> tuple[str, ...]:
        """The hidden discrete variables beside continuous ones that are summed over one by one.

        They are those that some density depends on, and the countable ones.
        """
        if not self.continuous:
            return ()
        families = [
            {variable, *self.network.conditionals[variable].parents}
            for variable in self.network.conditionals
            if variable not in self.factors
        ]
        return tuple(
            variable
            for variable in self.discrete
            if variable in self.truncations or any(variable in family for family in families)
        )

    @property
    def interface_states(self) -> int:
        """The number of joint states of the interface."""
        return prod(len(self.network.states[variable]) for variable in self.interface)

    def grid(self, variables: tuple[str, ...] | None = None) -> dict[str, np.ndarray]:
        """All joint states of the discrete variables, or of these: by name, state indices (states,)."""
        variables = self.discrete if variables is None else variables
        sizes = [len(self.network.states[variable]) for variable in variables]
        index = np.indices(sizes, dtype=np.int32).reshape(len(sizes), prod(sizes))
        return dict(zip(variables, index, strict=True))

    @cached_property
    def log_evidence(self) -> float:
        """log p(evidence) in nats, by variable elimination; only where no hidden variable is continuous.

        Raises:
            UserError: the evidence is impossible.
        """
        _, log_evidence = self._eliminated(())
        return log_evidence

    def log_weights(self) -> tf.Tensor:
        """log p(x, evidence) for every joint state x, (states,); only where no hidden variable is continuous."""
        return tf.broadcast_to(self.log_weight(self.grid()), (self.states,))

    def log_weight(self, values: Mapping[str, Any]) -> tf.Tensor:
        """log p(x, evidence) at state indices of shapes that broadcast; log 0 is a large negative number."""
        total = tf.zeros((), tf.float64)
        for factor in self.factors.values():
            logs = factor.values
            logs = np.where(np.isneginf(logs), logs.max() + IMPOSSIBLE, logs)
            total += tf.gather(logs.ravel(), flat_index([values[name] for name in factor.variables], logs.shape))
        return total

    @property
    def dimensions(self) -> int:
        """d, the number of unconstrained coordinates."""
        return sum(prod(shape) for shape in self._unconstrained_shapes.values())

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of the numbers that the continuous variables hold: z for a scalar, w[0], w[1] for a vector."""
        return tuple(
            variable + (f"[{', '.join(map(str, index))}]" if index else "")
            for variable, shape in self._event_shapes.items()
            for index in np.ndindex(shape)
        )

    @cached_property
    def prior_draws(self) -> np.ndarray:
        """Draws of the continuous variables from the network without evidence, unconstrained, (draws, d).

        Draws on the edge of a support, which have no finite coordinate, are left out.
        """
        values = self._prior_values
        parts = []
        for variable in self.continuous:
            distribution = self._distribution(variable, values)
            unconstrained = coordinates(variable, distribution).inverse(tf.cast(values[variable], distribution.dtype))
            parts.append(tf.reshape(unconstrained, (PRIOR_DRAWS, -1)).numpy())
        draws = np.concatenate(parts, 1)
        return draws[np.isfinite(draws).all(1)]

    def log_density(self, u: tf.Tensor) -> tf.Tensor:
        """log p(u, evidence), discrete variables summed out; u (samples, d), returns (samples,)."""
        return tf.reduce_logsumexp(self.log_densities(u), -1)

    def log_densities(self, u: tf.Tensor) -> tf.Tensor:
        """log p(u, x, evidence) for every joint state x of the interface; u (samples, d), returns (samples, states)."""
        u = tf.convert_to_tensor(u, tf.float64)
        total = tf.constant(self._interface_log_weights)
        for _, density, _ in self._densities(u):
            total += density
        return tf.broadcast_to(total, (tf.shape(u)[0], self.interface_states))

    def model_values(self, u: np.ndarray) -> np.ndarray:
        """The continuous variables at u (samples, d) in the model's own space, (samples, states or 1, columns).

        There is an axis of states where a support depends on the interface.
        """
        densities = self._densities(tf.convert_to_tensor(u, tf.float64))
        values = [value.numpy() for variable, _, value in densities if variable in self.continuous]
        parts = [value.reshape(*value.shape[:2], -1) for value in values]
        states = max(part.shape[1] for part in parts)
        return np.concatenate([np.broadcast_to(p, (len(p), states, p.shape[2])) for p in parts], -1)

    def model_draws(self, u: np.ndarray, seed: int = 0) -> np.ndarray:
        """The model's own values at posterior draws u (samples, d): (samples, columns).

        Where a support depends on a discrete variable, its state is drawn given u.
        """
        values = self.model_values(u)
        if values.shape[1] == 1:
            return values[:, 0]
        logs = self.log_densities(u).numpy()
        noise = np.random.default_rng(seed).gumbel(size=logs.shape)
        return values[np.arange(len(values)), (logs + noise).argmax(1)]

    def check_numbers(self, u: np.ndarray) -> None:
        """Raise UserError, naming the variable, where a log density or its gradient is NaN at u (samples, d)."""
        u = tf.constant(u, tf.float64)
        for variable in self.network.conditionals:
            if variable in self.factors:
                continue
            with tf.GradientTape() as tape:
                tape.watch(u)
                density = {name: density for name, density, _ in self._densities(u)}[variable]
                finite = tf.where(tf.math.is_finite(density), density, tf.zeros_like(density))
            gradient = tape.gradient(finite, u)
            if np.isnan(density).any() or (gradient is not None and np.isnan(gradient).any()):
                raise UserError(
                    f"{variable}: its log density, or the gradient of it, is not a number (NaN) at a value that the "
                    "posterior may take; check the parameters of its distribution, and that its mass does not lie "
                    "where float64 rounds to the end of its support"
                )

    def _densities(self, u: tf.Tensor) -> Iterator[tuple[str, tf.Tensor, Any]]:
        """(variable, its log density, its value) for all variables with a continuous family; u (samples, d)."""
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
                # an axis for the states of the interface between samples and event
                own = tf.reshape(own, (tf.shape(u)[0], 1, *shape))
                bijector = coordinates(variable, distribution)
                values[variable] = bijector.forward(own)
                # log p(u) = log p(z) + log |det db/du|
                jacobian = bijector.forward_log_det_jacobian(own, event_ndims=len(shape))
            else:
                jacobian = 0.0
            total = log_density(distribution, values[variable]) + jacobian
            if variable in self.likelihoods:
                total += tf.gather(_log(self.likelihoods[variable]), values[variable])
            yield variable, total, values[variable]

    def _distribution(self, variable: str, values: Mapping[str, Any]) -> tfp.distributions.Distribution:
        conditional = self.network.conditionals[variable]
        assert isinstance(conditional, Conditional)
        with naming(variable):
            distribution = conditional(*(values[parent] for parent in conditional.parents))
        if variable in self.observed and tuple(distribution.event_shape) != np.shape(self.observed[variable]):
            raise UserError(
                f"{variable}: the evidence has shape {np.shape(self.observed[variable])}, a value of the variable "
                f"{tuple(distribution.event_shape)}"
            )
        return distribution

    @cached_property
    def _interface_log_weights(self) -> np.ndarray:
        """log p(x, the evidence that no density bears on) for each joint state x of the interface, (states,)."""
        table, log_weight = self._eliminated(self.interface)
        with np.errstate(divide="ignore"):
            return np.log(table.values.ravel()) + log_weight

    def _eliminated(self, keep: tuple[str, ...]) -> tuple[Potential, float]:
        """The factors' product over `keep`, normalised, and the log of its sum."""
        peaks, potentials = 0.0, []
        for logs in self.factors.values():
            peak = logs.values.max()
            if peak == -np.inf:
                break
            peaks += float(peak)
            potentials.append(Potential(logs.variables, np.exp(logs.values - peak)))
        else:
            ones = [Potential([variable], np.ones(len(self.network.states[variable]))) for variable in keep]
            table, log_weight = elimination.joint([*potentials, *ones], keep)
            if log_weight > -np.inf:
                return table, log_weight + peaks
        if all(isinstance(conditional, Table) for conditional in self.original.conditionals.values()):
            exact.log_evidence(self.original, self.evidence)  # raises, and names the findings that exclude each other
        raise UserError("impossible evidence: its probability is zero; leave a part of it out")

    def _factor(self, variable: str) -> Potential:
        conditional = self.network.conditionals[variable]
        scope = tuple(name for name in (*conditional.parents, variable) if name not in self.observed)
        sizes = [len(self.network.states[name]) for name in scope]
        values = {**self.observed, **self.grid(scope)}
        if isinstance(conditional, Table):
            index = flat_index(
                [values[name] for name in (*conditional.parents, variable)], conditional.probabilities.shape
            )
            with np.errstate(divide="ignore"):
                logs = np.log(conditional.probabilities.ravel()[index])
        else:
            logs = log_density(self._distribution(variable, values), values[variable]).numpy()
        if np.isnan(logs).any():
            raise UserError(
                f"{variable}: its log probability is not a number (NaN); check its distribution's parameters"
            )
        if variable in self.likelihoods:
            logs = logs + _log(self.likelihoods[variable])[values[variable]]
        return Potential(scope, np.broadcast_to(logs, (prod(sizes),)).reshape(sizes))

    @cached_property
    def _prior_values(self) -> dict[str, np.ndarray]:
        """Draws of every variable without evidence, state indices or numbers, (draws, *event) each."""
        values = self.original.sample_values(PRIOR_DRAWS, seed=0)
        kept = {name: np.minimum(values[name], known.high).astype(int) for name, known in self.truncations.items()}
        return {**values, **kept}

    @cached_property
    def _event_shapes(self) -> dict[str, tuple[int, ...]]:
        return {variable: tuple(self._prior_values[variable].shape[1:]) for variable in self.continuous}

    @cached_property
    def _unconstrained_shapes(self) -> dict[str, tuple[int, ...]]:
        shapes = {}
        for variable in self.continuous:
            distribution = self._distribution(variable, self._prior_values)
            shape = coordinates(variable, distribution).inverse_event_shape(self._event_shapes[variable])
            shapes[variable] = tuple(shape)
        return shapes

    def upper_half(self, variable: str) -> float:
        """Posterior probability of the upper half of a discrete variable's states.

        Beside continuous variables it is taken where the evidence has its greatest density among draws of the prior.
        """
        if self.continuous:
            logs = self.log_densities(tf.constant(self.prior_draws)).numpy()
            logs = logs[np.logaddexp.reduce(logs, 1).argmax()].reshape(
                [len(self.network.states[v]) for v in self.interface]
            )
            axis = self.interface.index(variable)
            weights = np.exp(logs - logs.max()).sum(tuple(other for other in range(logs.ndim) if other != axis))
        else:
            weights = self._eliminated((variable,))[0].values
        return float(weights[len(weights) // 2 :].sum() / weights.sum())


def target(network: BayesianNetwork, evidence: Mapping[str, Any] | None = None) -> Target:
    """The posterior of a network given evidence.

    Args:
        evidence: by variable a state, for each state the likelihood of what was seen (soft evidence), or for a
            continuous variable a number or an array.

    Raises:
        UserError: a variable or a state is unknown, nothing is hidden, a value is no finite number, there are too many
            joint states, or a distribution cannot be computed.
    """
    evidence = evidence or {}
    observed: dict[str, Any] = {}
    likelihoods: dict[str, np.ndarray] = {}
    for variable, value in evidence.items():
        if variable not in network.conditionals:
            raise UserError(f"unknown variable {variable}; {nearest(variable, network.conditionals)}")
        if isinstance(value, Mapping):
            likelihoods[variable] = read_evidence(network, {variable: value}).likelihoods[0].values
        elif variable in network.states:
            observed[variable] = network.state_index(variable, value)
        else:
            observed[variable] = number_of(variable, value)
    hidden = [variable for variable in network.conditionals if variable not in observed]
    if not hidden:
        raise UserError("the evidence names every variable; leave one out for a surrogate to approximate")

    countable = countable_variables(network, hidden)
    truncations = {variable: prior_truncation(distribution) for variable, distribution in countable.items()}
    dtypes = {variable: distribution.dtype for variable, distribution in countable.items()}
    while True:
        highs = {variable: known.high for variable, known in truncations.items()}
        finite = truncated(network, highs, dtypes) if highs else network
        discrete = tuple(variable for variable in hidden if variable in finite.states)
        aim = Target(
            finite, network, evidence, observed, likelihoods, discrete,
            tuple(len(finite.states[name]) for name in discrete),
            tuple(variable for variable in hidden if variable not in finite.states), truncations,
        )  # fmt: skip
        if aim.continuous:
            if aim.interface_states > MOST_HYBRID_STATES:
                raise UserError(
                    f"the hidden discrete variables {', '.join(aim.interface)} have {aim.interface_states:,} joint "
                    f"states to sum over at every draw of {', '.join(aim.continuous)}, more than "
                    f"{MOST_HYBRID_STATES:,}; observe some of them"
                )
            aim.check_numbers(aim.prior_draws[:CHECKED])
        tails = {name: 0.0 if known.bounded else aim.upper_half(name) for name, known in truncations.items()}
        truncations = {name: known._replace(tail=tails[name]) for name, known in truncations.items()}
        wider = [
            name for name, known in truncations.items() if known.tail > POSTERIOR_TAIL and known.high < MOST_VALUES - 1
        ]
        if not wider:
            break
        for name in wider:
            high = min(2 * truncations[name].high + 1, MOST_VALUES - 1)
            truncations[name] = truncations[name]._replace(high=high)
    for name, known in truncations.items():
        if known.tail > POSTERIOR_TAIL:
            log.warning(
                "%s is summed up to %d only; the upper half of that range has posterior probability %.1g, so results "
                "may be off by about as much", name, known.high, known.tail,
            )  # fmt: skip
    return replace(aim, truncations=truncations)


def flat_index(indices: Sequence[Any], shape: Sequence[int]) -> Any:
    """Where a cell of a table lies once the table is one row; indices broadcast."""
    flat = 0
    for index, size in zip(indices, shape, strict=True):
        flat = flat * size + index
    return flat


def _log(likelihood: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(likelihood)
