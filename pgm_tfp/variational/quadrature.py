"""The exact posterior of one or two continuous variables, by adding up a fine grid.

For a smooth density that vanishes at both ends of the grid, the trapezoidal rule's error falls faster than any power of
the step (Trefethen & Weideman 2014): a few thousand points are exact to rounding.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from data.errors import UserError
from pgm_tfp.variational.targets import Target

MOST_DIMENSIONS = 2
POINTS = {1: 8_001, 2: 601}  # along each axis
REACH = 8.0  # standard deviations of the posterior, in the second and finer of two passes
PRIOR_DRAWS, PRIOR_REACH = 2_000, 12.0
AT_ONCE = 50_000


class Quadrature(NamedTuple):
    """A posterior on a grid.

    Attributes:
        axes: the grid's points along each continuous variable.
        density: p(z | evidence), (points of each axis...).
        log_evidence: log p(evidence), in nats.
        states: p(x | evidence) for each joint state x of the hidden discrete variables, (states,).
    """

    axes: list[np.ndarray]
    density: np.ndarray
    log_evidence: float
    states: np.ndarray

    def mean(self) -> np.ndarray:
        """Posterior means, one for each continuous variable."""
        return np.array([(axis * marginal).sum() for axis, marginal in zip(self.axes, self._weights(), strict=True)])

    def std(self) -> np.ndarray:
        """Posterior standard deviations."""
        squares = [(axis**2 * marginal).sum() for axis, marginal in zip(self.axes, self._weights(), strict=True)]
        return np.sqrt(np.array(squares) - self.mean() ** 2)

    def _weights(self) -> list[np.ndarray]:
        """The probability of each point of each axis."""
        total = self.density.sum()
        others = [tuple(other for other in range(len(self.axes)) if other != axis) for axis in range(len(self.axes))]
        return [self.density.sum(rest) / total for rest in others]


def quadrature(target: Target) -> Quadrature:
    """The posterior on a grid: a coarse one over all that the prior allows, then a fine one where the mass is.

    Raises:
        UserError: there are no continuous variables, or more than two.
    """
    dimensions = len(target.continuous)
    if not 1 <= dimensions <= MOST_DIMENSIONS:
        raise UserError(f"quadrature is for one or two hidden continuous variables, not for {dimensions}; use nuts")
    prior = target.network.sample(PRIOR_DRAWS, seed=0)
    centre = np.array([prior[name].mean() for name in target.continuous])
    spread = np.array([max(prior[name].std(), 1e-3) for name in target.continuous])
    coarse = _on_grid(target, centre, PRIOR_REACH * spread)
    return _on_grid(target, coarse.mean(), REACH * coarse.std())


def _on_grid(target: Target, centre: np.ndarray, reach: np.ndarray) -> Quadrature:
    points = POINTS[len(centre)]
    axes = [np.linspace(at - far, at + far, points) for at, far in zip(centre, reach, strict=True)]
    grid = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], -1)
    parts = [target.log_densities(tf.constant(grid[i : i + AT_ONCE])).numpy() for i in range(0, len(grid), AT_ONCE)]
    logs = np.concatenate(parts)
    highest = logs.max()
    weights = np.exp(logs - highest)
    step = np.prod([axis[1] - axis[0] for axis in axes])
    total = weights.sum() * step
    density = weights.sum(1).reshape([len(axis) for axis in axes]) / total
    return Quadrature(axes, density, float(highest + np.log(total)), weights.sum(0) / weights.sum())
