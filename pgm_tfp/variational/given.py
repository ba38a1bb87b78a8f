"""A network with evidence: what is observed, what is hidden, and the distributions of its variables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import tensorflow_probability as tfp

from common.errors import UserError, nearest
from pgm_tfp.conditionals import Conditional, naming
from pgm_tfp.networks import BayesianNetwork
from pgm_tfp.variational.truncation import Truncation


@dataclass(frozen=True, eq=False)
class Given:
    """A network with evidence.

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

    @property
    def tail(self) -> float:
        """A bound on the share of p(evidence) that the values of countable variables have that are not summed."""
        return sum(known.tail for known in self.truncations.values())

    def grid(self, variables: tuple[str, ...] | None = None) -> dict[str, np.ndarray]:
        """All joint states of the discrete variables, or of these: by name, state indices (states,)."""
        variables = self.discrete if variables is None else variables
        sizes = [len(self.network.states[variable]) for variable in variables]
        index = np.indices(sizes, dtype=np.int32).reshape(len(sizes), prod(sizes))
        return dict(zip(variables, index, strict=True))

    def check_hidden(self, variable: str) -> None:
        """Raise UserError unless the variable is hidden."""
        if variable not in (hidden := (*self.discrete, *self.continuous)):
            reason = "is in the evidence" if variable in self.observed else "is no variable of the network"
            raise UserError(f"{variable} {reason}; {nearest(variable, hidden)}")

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


def log_of(likelihood: np.ndarray) -> np.ndarray:
    """The logarithm of a likelihood; -inf where it is zero."""
    with np.errstate(divide="ignore"):
        return np.log(likelihood)


def flat_index(indices: Sequence[Any], shape: Sequence[int]) -> Any:
    """The index of a table's cell when the table is stored as one row; indices broadcast."""
    flat = 0
    for index, size in zip(indices, shape, strict=True):
        flat = flat * size + index
    return flat
