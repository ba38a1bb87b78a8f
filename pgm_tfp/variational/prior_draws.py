"""Draws of the prior in unconstrained coordinates: where a search begins, and how wide the variables are."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import tensorflow as tf

from pgm_tfp.variational.coordinates import coordinates
from pgm_tfp.variational.factors import Factored

PRIOR_DRAWS = 1_000
LEAST_SCALE = 1e-6  # of a prior whose draws are all equal


@dataclass(frozen=True, eq=False)
class WithPrior(Factored):
    """A network with evidence, and draws of its hidden continuous variables without the evidence."""

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
    def prior_median(self) -> np.ndarray:
        """Median of each unconstrained coordinate under the prior, (d,)."""
        return np.median(self.prior_draws, 0)

    @cached_property
    def prior_spread(self) -> np.ndarray:
        """How far from the median 70 % of the prior lie, (d,), above zero; far tails do not change it."""
        apart = np.quantile(np.abs(self.prior_draws - self.prior_median), 0.7, 0)
        return np.maximum(apart, 1e-3 * self.prior_scale)

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
