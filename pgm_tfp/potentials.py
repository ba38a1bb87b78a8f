"""Potentials: non-negative arrays of weights over named variables, and the operations that inference needs.

A potential phi(A, B) gives every joint state of its variables a weight. Exact inference consists of products, sums,
maxima and slices of potentials (Koller & Friedman 2009, section 9.3). Weights are float64. A `Semiring` says whether
they are held as plain numbers or as logarithms.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from common.errors import UserError
from pgm_tfp.html_tables import html_table
from pgm_tfp.memory import ASK_LESS, TooLargeError

MOST_VARIABLES = 60  # of one potential; NumPy's arrays have at most 64 axes


@dataclass(frozen=True, eq=False)
class Potential:
    """An array of weights over named variables.

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

    def _repr_html_(self) -> str:
        rows = ((*index, float(weight)) for index, weight in np.ndenumerate(self.values))
        return html_table([*self.variables, "weight"], rows, self.values.size)

    @property
    def sizes(self) -> dict[str, int]:
        """The number of states of each variable."""
        return dict(zip(self.variables, self.values.shape, strict=True))

    def axes(self, variables: Collection[str]) -> tuple[int, ...]:
        """The axes of these variables; variables that the potential does not have are left out."""
        return tuple(axis for axis, variable in enumerate(self.variables) if variable in variables)

    def aligned(self, variables: Sequence[str]) -> np.ndarray:
        """The values, shaped to broadcast against arrays over `variables`, which must include the potential's own."""
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
        """The slice at the given states (indices); the result no longer has those variables."""
        index = tuple(states.get(variable, slice(None)) for variable in self.variables)
        return Potential((variable for variable in self.variables if variable not in states), self.values[index])

    def normalized(self) -> "Potential":
        """The weights divided by their sum, so that they are probabilities."""
        return Potential(self.variables, self.values / self.values.sum())


class Semiring(NamedTuple):
    """How to combine weights, and how to remove a variable from a table of weights.

    Attributes:
        multiply: the product of two arrays of weights; it is associative and commutative, and distributes over `total`.
            A third argument, if there is one, is the array to write to.
        divide: a / b for arrays of weights, shaped like a; where b is zero, a must be zero, and the quotient is zero. A
            third argument, if there is one, is the array to write to: a.
        total: the sum, or the maximum, of an array of weights over some axes.
        hold: plain weights as this semiring holds them.
        log: the logarithm of weights as this semiring holds them.
        logarithms: whether weights are held as their logarithms.
    """

    multiply: Callable[..., np.ndarray]
    divide: Callable[..., np.ndarray]
    total: Callable[[np.ndarray, tuple[int, ...]], np.ndarray]
    hold: Callable[[np.ndarray], np.ndarray]
    log: Callable[[np.ndarray], np.ndarray]
    logarithms: bool


def log_sum_exp(values: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """log sum exp(values) over these axes; exactly -inf where all values are -inf."""
    highest = values.max(axes, keepdims=True)
    highest[~np.isfinite(highest)] = 0.0
    return _log(np.exp(values - highest).sum(axes)) + highest.squeeze(axes)


def _log(values: np.ndarray) -> np.ndarray:
    """The logarithm, -inf at zero, without a warning."""
    with np.errstate(divide="ignore"):
        return np.log(values)


def _unchanged(values: np.ndarray) -> np.ndarray:
    return values


def _divided(a: np.ndarray, b: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    return np.divide(a, b, out=np.zeros(a.shape) if out is None else out, where=b != 0.0)


def _subtracted(a: np.ndarray, b: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    return np.subtract(a, b, out=np.full(a.shape, -np.inf) if out is None else out, where=b != -np.inf)


SUM_PRODUCT = Semiring(
    np.multiply, _divided, lambda values, axes: values.sum(axes), hold=_unchanged, log=_log, logarithms=False
)
LOG_SUM_PRODUCT = Semiring(np.add, _subtracted, log_sum_exp, hold=_log, log=_unchanged, logarithms=True)
LOG_MAX_PRODUCT = LOG_SUM_PRODUCT._replace(total=lambda values, axes: values.max(axes))

Result = TypeVar("Result")


def in_float64_range(compute: Callable[[Semiring], Result]) -> Result:
    """The result of `compute(SUM_PRODUCT)`, or of `compute(LOG_SUM_PRODUCT)` where a weight leaves float64's range.

    Sums of plain weights are several times as fast as sums of logarithms, so plain weights are tried first.
    """
    try:
        with np.errstate(under="raise", over="raise"):
            return compute(SUM_PRODUCT)
    except FloatingPointError:
        pass  # the error keeps the tables alive until this block ends
    return compute(LOG_SUM_PRODUCT)


def held(potential: Potential, semiring: Semiring) -> Potential:
    """A potential of plain weights, its weights held as the semiring holds them."""
    return Potential(potential.variables, semiring.hold(potential.values)) if semiring.logarithms else potential


def product(potentials: Sequence[Potential], semiring: Semiring = SUM_PRODUCT) -> Potential:
    """The product of potentials, over all their variables; smaller potentials are multiplied first."""
    ordered = sorted(potentials, key=lambda potential: potential.values.size)
    return reduce(lambda a, b: _times(a, b, semiring), ordered)


def _times(a: Potential, b: Potential, semiring: Semiring) -> Potential:
    both = (*b.variables, *(variable for variable in a.variables if variable not in b.variables))
    if len(both) > MOST_VARIABLES:
        raise TooLargeError(f"a table over {len(both)} variables has more axes than {MOST_VARIABLES}; {ASK_LESS}")
    return Potential(both, semiring.multiply(a.aligned(both), b.aligned(both)))


def totalled(potential: Potential, variables: Collection[str], semiring: Semiring = SUM_PRODUCT) -> Potential:
    """The potential with these variables summed out, or maximised out."""
    axes = potential.axes(variables)
    kept = (variable for variable in potential.variables if variable not in variables)
    return Potential(kept, semiring.total(potential.values, axes)) if axes else potential
