"""Potentials: non-negative tables over named variables, and the four things that inference does with them.

A potential phi(A, B) gives every joint state of its variables a weight. Exact inference is nothing but products,
sums, maxima and slices of potentials (Koller & Friedman 2009, section 9.3). Weights are float64; they may be held
as logarithms, with sums for products: a `Semiring` says which.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from common.errors import UserError
from pgm_tfp.memory import ASK_LESS, TooLargeError

MOST_VARIABLES = 60  # of one table; NumPy's arrays have at most 64 axes


@dataclass(frozen=True, eq=False)
class Potential:
    """A table over named variables.

    Attributes:
        variables: one for each axis.
        values: float64; axis i has one entry for each state of variable i.
    """

    variables: tuple[str, ...]
    values: np.ndarray

    def __init__(self, variables: Iterable[str], values: ArrayLike):
        object.__setattr__(self, "variables", tuple(variables))
        object.__setattr__(self, "values", np.asarray(values, np.float64))
        if len(set(self.variables)) != len(self.variables):
            raise UserError(f"a potential over ({', '.join(self.variables)}) names a variable twice")
        if self.values.ndim != len(self.variables):
            raise UserError(
                f"a potential over ({', '.join(self.variables)}) needs an array of {len(self.variables)} axes, "
                f"not of {self.values.ndim}"
            )

    @property
    def sizes(self) -> dict[str, int]:
        """The number of states of each variable."""
        return dict(zip(self.variables, self.values.shape, strict=True))

    def axes(self, variables: Collection[str]) -> tuple[int, ...]:
        """The axes of those of these variables that the potential has."""
        return tuple(axis for axis, variable in enumerate(self.variables) if variable in variables)

    def aligned(self, variables: Sequence[str]) -> np.ndarray:
        """The values as an array that broadcasts against any over exactly these variables (a superset of its own)."""
        place = {variable: axis for axis, variable in enumerate(variables)}
        order = sorted(range(len(self.variables)), key=lambda axis: place[self.variables[axis]])
        shape = [1] * len(variables)
        for axis in order:
            shape[place[self.variables[axis]]] = self.values.shape[axis]
        return self.values.transpose(order).reshape(shape)

    def over(self, variables: Sequence[str]) -> "Potential":
        """The same potential with its axes in this order."""
        return Potential(variables, self.aligned(variables))

    def reduced(self, states: Mapping[str, int]) -> "Potential":
        """The slice at the given states (indices); those variables are gone."""
        index = tuple(states.get(variable, slice(None)) for variable in self.variables)
        return Potential((variable for variable in self.variables if variable not in states), self.values[index])

    def normalized(self) -> "Potential":
        """The weights as probabilities: they sum to one."""
        return Potential(self.variables, self.values / self.values.sum())


class Semiring(NamedTuple):
    """How to combine weights and how to do away with a variable.

    Attributes:
        multiply: of two arrays; associative, commutative, distributes over `total`.
        total: of an array over axes.
        logarithms: are the weights held as their logarithms?
    """

    multiply: Callable[[np.ndarray, np.ndarray], np.ndarray]
    total: Callable[[np.ndarray, tuple[int, ...]], np.ndarray]
    logarithms: bool


def log_sum_exp(values: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """log sum exp(values) over these axes, exact where all are -inf."""
    highest = values.max(axes, keepdims=True)
    highest[~np.isfinite(highest)] = 0.0
    with np.errstate(divide="ignore"):
        return np.log(np.exp(values - highest).sum(axes)) + highest.squeeze(axes)


SUM_PRODUCT = Semiring(np.multiply, lambda values, axes: values.sum(axes), logarithms=False)
LOG_SUM_PRODUCT = Semiring(np.add, log_sum_exp, logarithms=True)
LOG_MAX_PRODUCT = Semiring(np.add, lambda values, axes: values.max(axes), logarithms=True)


def product(potentials: Sequence[Potential], semiring: Semiring = SUM_PRODUCT) -> Potential:
    """The product of potentials, over all their variables; the smallest are multiplied first."""
    ordered = sorted(potentials, key=lambda potential: potential.values.size)
    return reduce(lambda a, b: _times(a, b, semiring), ordered)


def _times(a: Potential, b: Potential, semiring: Semiring) -> Potential:
    both = (*b.variables, *(variable for variable in a.variables if variable not in b.variables))
    if len(both) > MOST_VARIABLES:
        raise TooLargeError(f"a table over {len(both)} variables has more axes than {MOST_VARIABLES}; {ASK_LESS}")
    return Potential(both, semiring.multiply(a.aligned(both), b.aligned(both)))


def totalled(potential: Potential, variables: Collection[str], semiring: Semiring = SUM_PRODUCT) -> Potential:
    """The potential without these variables: summed out, or maximised out."""
    axes = potential.axes(variables)
    kept = (variable for variable in potential.variables if variable not in variables)
    return Potential(kept, semiring.total(potential.values, axes)) if axes else potential
