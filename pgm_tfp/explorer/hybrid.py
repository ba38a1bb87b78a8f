"""Exact answers for networks of discrete variables and one hidden number, such as the thermal server room.

The hidden number c is integrated on a grid by the trapezoidal rule, the hidden discrete variables x are summed out:

    p(x, c, e) = prod_i p(x_i | parents),    p(e) = sum_x integral p(x, c, e) dc

For densities that are smooth and vanish at both ends, the rule's error falls faster than any power of the step
(Trefethen & Weideman 2014, SIAM Review 56(3), section 5). It is estimated by comparison with every second point.
A number that is not observed and has no children needs no integral: its density is a mixture over its parents.
"""

from collections.abc import Mapping
from math import prod
from typing import Any, NamedTuple

import numpy as np

from common.errors import UserError
from pgm_tfp.conditionals import Table, log_density
from pgm_tfp.networks import BayesianNetwork, number_of

POINTS = 1_601  # of the grid; odd, so that every second point is also a grid over the same range
SPREAD = 9.0  # standard deviations around the means that the grid covers
LEAF_POINTS = 241
NEGLIGIBLE = 1e-8  # of the highest density; the ends of a curve below it are left out
MOST_STATES = 4_096  # joint states of the hidden discrete variables


class Curve(NamedTuple):
    """The density of a number: its values (n,) at points (n,)."""

    points: np.ndarray
    density: np.ndarray

    def mean(self) -> float:
        """The mean, by the trapezoidal rule."""
        return float(np.trapezoid(self.points * self.density, self.points))

    def std(self) -> float:
        """The standard deviation, by the trapezoidal rule."""
        second = np.trapezoid((self.points - self.mean()) ** 2 * self.density, self.points)
        return float(np.sqrt(max(second, 0.0)))


class ExactPosterior(NamedTuple):
    """The exact posterior of every variable.

    Attributes:
        probabilities: by discrete variable the probability of each state, in the order of its states.
        curves: by continuous variable that is not fixed its density.
        log_evidence: log p(findings | interventions), in nats.
        error: by how much the numbers may be off, as a share; 0 where they are sums without a grid.
    """

    probabilities: dict[str, list[float]]
    curves: dict[str, Curve]
    log_evidence: float
    error: float = 0.0


def hybrid_posterior(
    network: BayesianNetwork, seen: Mapping[str, Any] | None = None, done: Mapping[str, Any] | None = None
) -> ExactPosterior:
    """The posterior of every variable, given findings and after interventions.

    Raises:
        UserError: more than one number is hidden that matters to the others, there are too many joint states, or the
            findings are impossible.
    """
    seen, done = seen or {}, done or {}
    fixed = {**seen, **done}
    numbers = [name for name in network.conditionals if name not in network.states and name not in fixed]
    leaves = [name for name in numbers if not network.graph.out_degree(name)]
    hidden = [name for name in numbers if name not in leaves]
    discrete = [name for name in network.states if name not in fixed]
    if len(hidden) > 1:
        raise UserError(f"{' and '.join(hidden)} are hidden numbers; the page integrates one of them")
    if prod(len(network.states[name]) for name in discrete) > MOST_STATES:
        raise UserError(f"the hidden variables have more than {MOST_STATES:,} joint states")
    axes = [*discrete, *hidden]  # of all arrays below
    values = _fixed_values(network, fixed)
    for axis, name in enumerate(discrete):
        values[name] = _along(np.arange(len(network.states[name])), axis, len(axes))
    step = 1.0
    if hidden:
        grid = _grid(network, hidden[0], values, POINTS)
        step = grid[1] - grid[0]
        values[hidden[0]] = _along(grid, len(axes) - 1, len(axes))
    # log p(x, c, e); an intervention has no factor of its own
    factors = [name for name in network.conditionals if name not in done and name not in leaves]
    logs = sum((_log_factor(network, name, values) for name in factors), np.zeros([1] * len(axes)))
    highest = logs.max()
    if highest == -np.inf:
        raise UserError(f"the findings {', '.join(f'{name}={value}' for name, value in seen.items())} are impossible")
    weights = np.exp(logs - highest) * step
    total = weights.sum()
    weights /= total
    probabilities = {}
    for name, states in network.states.items():
        if name in fixed:
            probabilities[name] = np.eye(len(states))[int(values[name])].tolist()
        else:
            probabilities[name] = _marginal(weights, axes.index(name)).tolist()
    curves = {name: _leaf(network, name, values, axes, weights) for name in leaves}
    error = 0.0
    if hidden:
        curves[hidden[0]] = Curve(grid, _marginal(weights, len(axes) - 1) / step)
        # What the grid of every second point gives, and the mass at the ends, which stands for the mass outside.
        error = max(abs(2 * weights[..., ::2].sum() - 1.0), weights[..., [0, -1]].sum())
    return ExactPosterior(probabilities, curves, float(np.log(total) + highest), float(error))


def _fixed_values(network: BayesianNetwork, fixed: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The index of each state, and each number, that is observed or set."""
    return {
        name: np.asarray(network.state_index(name, value)) if name in network.states else number_of(name, value)
        for name, value in fixed.items()
    }


def _marginal(weights: np.ndarray, axis: int) -> np.ndarray:
    """The sums over all other axes."""
    return weights.sum(tuple(other for other in range(weights.ndim) if other != axis))


def _along(values: np.ndarray, axis: int, axes: int) -> np.ndarray:
    """Values along one of several axes."""
    return values.reshape([-1 if place == axis else 1 for place in range(axes)])


def _log_factor(network: BayesianNetwork, name: str, values: Mapping[str, np.ndarray]) -> np.ndarray:
    """log p(variable | parents) at these values, which broadcast."""
    conditional = network.conditionals[name]
    given = [values[parent] for parent in conditional.parents]
    if isinstance(conditional, Table):
        with np.errstate(divide="ignore"):
            return np.log(conditional.probabilities)[(*given, values[name])]
    return np.asarray(log_density(conditional(*given), values[name]))


def _grid(network: BayesianNetwork, name: str, values: Mapping[str, np.ndarray], points: int) -> np.ndarray:
    """Points that cover the distribution of a number, whatever its parents are."""
    conditional = network.conditionals[name]
    assert not isinstance(conditional, Table)
    distribution = conditional(*(values[parent] for parent in conditional.parents))
    mean, deviation = distribution.mean().numpy(), distribution.stddev().numpy()
    return np.linspace((mean - SPREAD * deviation).min(), (mean + SPREAD * deviation).max(), points)


def _leaf(
    network: BayesianNetwork, name: str, values: Mapping[str, np.ndarray], axes: list[str], weights: np.ndarray
) -> Curve:
    """The density of a number on which nothing depends: a mixture over its parents."""
    parents = network.conditionals[name].parents
    summed = tuple(axis for axis, other in enumerate(axes) if other not in parents)
    mixture = weights.sum(summed, keepdims=True)[..., np.newaxis]
    ahead = {parent: values[parent][..., np.newaxis] if values[parent].ndim else values[parent] for parent in parents}
    points = _grid(network, name, ahead, LEAF_POINTS)
    # p(r | e) = sum_x integral p(r | x, c) p(x, c | e) dc
    density = (np.exp(_log_factor(network, name, {**ahead, name: points})) * mixture).reshape(-1, LEAF_POINTS).sum(0)
    keep = density > density.max() * NEGLIGIBLE
    low, high = np.flatnonzero(keep)[[0, -1]]
    return Curve(points[low : high + 1], density[low : high + 1])
