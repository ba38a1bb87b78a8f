"""The part of a target that has tables: factors over hidden discrete variables, and sums over them.

Discrete variables that no density depends on are eliminated exactly. The other hidden discrete variables are summed
over, one joint state at a time. They are called the interface here (Koller & Friedman 2009, section 14.4).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
import tensorflow as tf

from common.errors import UserError
from pgm_tfp import elimination, exact
from pgm_tfp.conditionals import Table, log_density
from pgm_tfp.potentials import Potential
from pgm_tfp.states import State
from pgm_tfp.variational.given import Given, flat_index, log_of

MOST_STATES = 2**16  # joint states of hidden discrete variables that are summed over one by one
IMPOSSIBLE = -700.0  # stands in for log 0, relative to a factor's largest entry: exp(-700) = 1e-304 has a gradient


@dataclass(frozen=True, eq=False)
class Factored(Given):
    """A network with evidence, and the tables of the variables whose family has no hidden continuous member."""

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
            logs = logs + log_of(self.likelihoods[variable])[values[variable]]
        return Potential(scope, np.broadcast_to(logs, (prod(sizes),)).reshape(sizes))
