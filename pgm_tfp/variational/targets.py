"""The target of approximate inference: the posterior of the hidden variables of a network, up to a constant.

It has one file for each of its jobs: what is observed and hidden (`given`), tables (`factors`), draws of the prior
(`prior_draws`) and the density (`density`). This file turns coordinates into results in the model's own space.
"""

from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
import tensorflow as tf
from scipy.special import logsumexp, softmax

from common.errors import UserError, nearest
from pgm_tfp.variational.density import WithDensity


@dataclass(frozen=True, eq=False)
class Target(WithDensity):
    """The posterior of the hidden variables, up to a constant; the attributes are those of `Given`."""

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """A name for each number of the continuous variables: z for a scalar, w[0] and w[1] for a vector."""
        return tuple(
            variable + (f"[{', '.join(map(str, index))}]" if index else "")
            for variable, shape in self._event_shapes.items()
            for index in np.ndindex(shape)
        )

    @cached_property
    def prior_draw_log_densities(self) -> np.ndarray:
        """log p(u, x, evidence) at the prior's draws for every joint state x of the interface, (draws, states)."""
        return self.log_densities(tf.constant(self.prior_draws)).numpy()

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
