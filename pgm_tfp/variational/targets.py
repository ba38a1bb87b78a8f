"""The target of approximate inference: log p(hidden, evidence) of a network, as TensorFlow computes it.

Continuous variables are moved to unconstrained coordinates u in R^d, where optimisers, samplers and grids need no
bounds. TensorFlow Probability has a bijector b onto each distribution's support, and with z = b(u)

    log p(u) = log p(z) + log |det db/du|

(Kucukelbir et al. 2017, "Automatic differentiation variational inference", section 2.3). Discrete variables that no
density depends on are eliminated exactly. The other hidden discrete variables are summed over, one joint state at a
time. They are called the interface here (Koller & Friedman 2009, section 14.4).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from scipy.special import logsumexp, softmax

from common.errors import UserError, nearest
from pgm_tfp import elimination, exact
from pgm_tfp.conditionals import Conditional, Table, log_density, naming
from pgm_tfp.networks import BayesianNetwork
from pgm_tfp.potentials import Potential
from pgm_tfp.states import State
from pgm_tfp.variational.coordinates import coordinates
from pgm_tfp.variational.truncation import Truncation

MOST_STATES = 2**16  # joint states of hidden discrete variables that are summed over one by one
IMPOSSIBLE = -700.0  # stands in for log 0, relative to a factor's largest entry: exp(-700) = 1e-304 has a gradient
PRIOR_DRAWS = 1_000
SMALL_SHARE = 1e-3  # of the log density, added to that of a component
LEAST_SCALE = 1e-6  # of a prior whose draws are all equal


@dataclass(frozen=True, eq=False)
class Target:
    """log p(z, x, evidence) for continuous hidden variables z and discrete ones x.

    Attributes:
        network: the network; its countable variables have finitely many states, see `truncations`.
        original: the network as the caller gave it.
        evidence: as the caller gave it.
        observed: state index, or float64 array, of each observed variable.
        likelihoods: soft evidence: by variable the likelihood of each state.
        discrete: names of the hidden discrete variables, in the network's order.
        sizes: their numbers of states.
        continuous: names of the hidden continuous variables.
        truncations: by countable variable (Poisson, ...), the values that are summed and the share that is left out.
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
        """Tables of log p(variable | parents) for the variables whose family has no hidden continuous member.

        A table is over the family's hidden discrete variables. Soft evidence on a variable is part of its table.
        Impossible states have -inf.
        """
        return {
            variable: self._factor(variable)
            for variable, conditional in self.network.conditionals.items()
            if not {variable, *conditional.parents} & set(self.continuous)
        }

    @cached_property
    def interface(self) -> tuple[str, ...]:
        """The hidden discrete variables that are summed over, one joint state at a time.

        Some density depends on each of them, or they are countable. Without hidden continuous variables there are none.
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

    @cached_property
    def _finite_factors(self) -> list[Potential]:
        """The factors with a large negative number in place of log 0."""
        return [
            Potential(
                factor.variables, np.where(np.isneginf(factor.values), factor.values.max() + IMPOSSIBLE, factor.values)
            )
            for factor in self.factors.values()
        ]

    @cached_property
    def log_weights(self) -> np.ndarray:
        """log p(x, evidence) for every joint state x, (states,); only where no hidden variable is continuous.

        log 0 is a large negative number.
        """
        grid, total = self.grid(), np.zeros(self.states)
        for factor in self._finite_factors:
            total += factor.values.ravel()[flat_index([grid[name] for name in factor.variables], factor.values.shape)]
        return total

    def log_weight(self, values: Mapping[str, Any]) -> tf.Tensor:
        """log p(x, evidence) at state indices of shapes that broadcast; log 0 is a large negative number."""
        total = tf.zeros((), tf.float64)
        for factor in self._finite_factors:
            index = flat_index([values[name] for name in factor.variables], factor.values.shape)
            total += tf.gather(factor.values.ravel(), index)
        return total

    @property
    def dimensions(self) -> int:
        """d, the number of unconstrained coordinates."""
        return sum(prod(shape) for shape in self._unconstrained_shapes.values())

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """A name for each number of the continuous variables: z for a scalar, w[0] and w[1] for a vector."""
        return tuple(
            variable + (f"[{', '.join(map(str, index))}]" if index else "")
            for variable, shape in self._event_shapes.items()
            for index in np.ndindex(shape)
        )

    @cached_property
    def prior_draws(self) -> np.ndarray:
        """Draws of the continuous variables from the network without evidence, unconstrained, (draws, d).

        A draw on the edge of a support has no finite coordinate and is left out.
        """
        values = self._prior_values
        parts = []
        for variable in self.continuous:
            distribution = self._distribution(variable, values)
            unconstrained = coordinates(variable, distribution).inverse(tf.cast(values[variable], distribution.dtype))
            parts.append(tf.reshape(unconstrained, (PRIOR_DRAWS, -1)).numpy())
        draws = np.concatenate(parts, 1)
        return draws[np.isfinite(draws).all(1)]

    @cached_property
    def prior_scale(self) -> np.ndarray:
        """Standard deviation of each unconstrained coordinate under the prior, (d,), above zero."""
        return np.maximum(self.prior_draws.std(0), LEAST_SCALE)

    @cached_property
    def prior_draw_log_densities(self) -> np.ndarray:
        """log p(u, x, evidence) at the prior's draws for every joint state x of the interface, (draws, states)."""
        return self.log_densities(tf.constant(self.prior_draws)).numpy()

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

    def model_values(self, u: np.ndarray) -> np.ndarray:
        """The continuous variables at u (samples, d) in the model's own space, (samples, states or 1, columns).

        The second axis has a length other than 1 only where a support depends on the interface.
        """
        terms = self._terms(tf.convert_to_tensor(u, tf.float64))
        values = [term.value.numpy() for term in terms if term.variable in self.continuous]
        parts = [value.reshape(*value.shape[:2], -1) for value in values]
        states = max(part.shape[1] for part in parts)
        return np.concatenate([np.broadcast_to(p, (len(p), states, p.shape[2])) for p in parts], -1)

    def model_draws(self, u: np.ndarray, seed: int = 0) -> np.ndarray:
        """The continuous variables at posterior draws u (samples, d) in the model's own space, (samples, columns).

        Where a support depends on the interface, the interface's state is drawn given u.
        """
        values = self.model_values(u)
        if values.shape[1] == 1:
            return values[:, 0]
        logs = self.log_densities(u).numpy()
        noise = np.random.default_rng(seed).gumbel(size=logs.shape)
        return values[np.arange(len(values)), (logs + noise).argmax(1)]

    def columns_of(self, variable: str) -> tuple[list[int], tuple[int, ...]]:
        """Which of `columns` a continuous variable has, and the shape of one of its values."""
        first = 0
        for name, shape in self._event_shapes.items():
            if name == variable:
                return list(range(first, first + prod(shape))), shape
            first += prod(shape)
        raise UserError(f"{variable} is not a hidden continuous variable; {nearest(variable, self.continuous)}")

    def interface_posterior(self, u: np.ndarray) -> np.ndarray:
        """p(x | u, evidence) for every joint state x of the interface, (samples, states); u (samples, d)."""
        return softmax(self.log_densities(tf.constant(u)).numpy(), -1)

    def discrete_marginal(self, variable: str, interface: np.ndarray) -> dict[State, float]:
        """p(variable | evidence) by state, for a discrete variable, where continuous variables are hidden as well.

        Args:
            interface: p(x | evidence) for every joint state x of the interface, (states,).
        """
        joint = interface.reshape([len(self.network.states[name]) for name in self.interface])
        if variable in self.interface:
            axis = self.interface.index(variable)
            probabilities = joint.sum(tuple(other for other in range(joint.ndim) if other != axis))
        else:
            # Given the interface, the variable depends on no density: sum_x p(x | evidence) p(variable | x, evidence)
            table, _ = self._eliminated((*self.interface, variable))
            given = table.values.sum(-1, keepdims=True)
            conditional = np.divide(table.values, given, out=np.zeros_like(table.values), where=given > 0)
            probabilities = np.tensordot(joint, conditional, joint.ndim)
        return dict(zip(self.network.states[variable], map(float, probabilities), strict=True))

    def check_hidden(self, variable: str) -> None:
        """Raise UserError unless the variable is hidden."""
        if variable not in (hidden := (*self.discrete, *self.continuous)):
            reason = "is in the evidence" if variable in self.observed else "is no variable of the network"
            raise UserError(f"{variable} {reason}; {nearest(variable, hidden)}")

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
                total += tf.gather(_log(self.likelihoods[variable]), values[variable])
            yield Term(variable, distribution, values[variable], total, jacobian)

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
        """The factors' share of log p(x, evidence) for each joint state x of the interface, (states,)."""
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
            exact.log_evidence(self.original, self.evidence)  # its error names the contradictory findings
        raise UserError("impossible evidence: its probability is zero; leave out some of the findings")

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
        """Draws of every variable from the network without evidence: state indices or numbers, (draws, *event)."""
        values = self.original.sample_values(PRIOR_DRAWS, seed=0)
        places = {
            name: np.searchsorted(known.values, np.clip(values[name], known.values[0], known.high))
            for name, known in self.truncations.items()
        }
        return {**values, **places}

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

    def log_weights_of(self, variable: str) -> np.ndarray:
        """log p(variable, evidence) up to a constant, for each state of a discrete variable, (states,).

        With hidden continuous variables, it is a mean over draws of the prior.
        """
        if self.continuous:
            logs = self.prior_draw_log_densities
            logs = logs.reshape(len(logs), *(len(self.network.states[name]) for name in self.interface))
            axis = 1 + self.interface.index(variable)
            return logsumexp(logs, tuple(other for other in range(logs.ndim) if other != axis))
        with np.errstate(divide="ignore"):
            return np.log(self._eliminated((variable,))[0].values)

    @property
    def tail(self) -> float:
        """A bound on the share of p(evidence) that the values of countable variables have that are not summed."""
        return sum(known.tail for known in self.truncations.values())


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


def flat_index(indices: Sequence[Any], shape: Sequence[int]) -> Any:
    """The index of a table's cell when the table is stored as one row; indices broadcast."""
    flat = 0
    for index, size in zip(indices, shape, strict=True):
        flat = flat * size + index
    return flat


def _log(likelihood: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(likelihood)
