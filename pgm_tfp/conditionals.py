"""Conditional distributions of one variable given its parents: tables, and anything that TensorFlow Probability has."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from common.errors import UserError
from pgm_tfp.states import BINARY, State

if TYPE_CHECKING:
    import tensorflow as tf
    import tensorflow_probability as tfp

TOLERANCE = 1e-6  # by how much a row of a table may miss one: files hold six digits or more
OFF = 1e-12  # what adding up a row in another order can do is not worth a line
ROUNDING = 1e-3  # by how much the few digits of a file may put a row off

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Table:
    """P(variable | parents) with finitely many states each.

    Attributes:
        probabilities: float64, one axis for each parent, in order, and the variable's own last; the last sums to one.
        parents: their names.
        states: names of the variable's states, in the order of the last axis.
    """

    probabilities: np.ndarray
    parents: tuple[str, ...] = ()
    states: tuple[State, ...] = BINARY

    def __init__(self, probabilities: ArrayLike, parents: Iterable[str] = (), states: Sequence[State] = BINARY) -> None:
        object.__setattr__(self, "probabilities", np.asarray(probabilities, np.float64))
        object.__setattr__(self, "parents", tuple(parents))
        object.__setattr__(self, "states", tuple(states))

    @classmethod
    def of_true(cls, probabilities: ArrayLike, parents: Iterable[str] = ()) -> Table:
        """A binary variable, by P(true | parents): one axis for each parent."""
        true = np.asarray(probabilities, np.float64)
        return cls(np.stack([1.0 - true, true], -1), parents)

    def sample(self, parents: Sequence[np.ndarray], n: int, random: np.random.Generator) -> np.ndarray:
        """Indices of states, (n,), one drawn for each row of the parents' indices, (n,) each."""
        cumulative = self.probabilities.cumsum(-1)[tuple(parents)]
        # The last bound is one but for rounding, so it is not asked.
        return (random.random((n, 1)) >= cumulative[..., :-1]).sum(-1)

    def checked(self, variable: str, parents_states: Mapping[str, Sequence[State]]) -> None:
        """Raise UserError unless this is a conditional distribution of `variable` given these parents."""
        if not self.states or len(set(self.states)) != len(self.states):
            raise UserError(f"{variable}: states {self.states} must be one or more, each named once")
        name = f"P({variable} | {', '.join(self.parents)})" if self.parents else f"P({variable})"
        expected = (*(len(parents_states[parent]) for parent in self.parents), len(self.states))
        if self.probabilities.shape != expected:
            raise UserError(
                f"{name}: expected a table of shape {expected}, the numbers of states of "
                f"{', '.join([*self.parents, variable])}; given {self.probabilities.shape}"
            )
        rows = self.probabilities.reshape(-1, len(self.states))
        # Not-a-number is not zero or more, either.
        if not rows.min(initial=np.inf) >= 0.0:
            number = int((~(rows >= 0.0)).any(-1).argmax())
            expectation, total = "expected probabilities", ""
        else:
            sums = rows @ np.ones(len(self.states))
            wrong = ~(np.abs(sums - 1.0) <= TOLERANCE)
            if not wrong.any():
                return
            number = int(wrong.argmax())
            expectation, total = "expected probabilities that sum to 1", f" (sum {sums[number]:g})"
        states = zip(self.parents, np.unravel_index(number, expected[:-1]), strict=True)
        given = ", ".join(f"{parent}={parents_states[parent][int(at)]}" for parent, at in states)
        where = f"P({variable} | {given})" if given else name
        raise UserError(f"{where}: {expectation}, given {rows[number].tolist()}{total}")


def normalized_rows(tables: Mapping[str, Table]) -> dict[str, Table]:
    """The tables with rows made to sum to one that rounding has put off; the log says how many, and by how much.

    A row further off is no rounding: it stays, and the network's check names it.
    """
    normalized, worst = dict(tables), {}
    for variable, table in tables.items():
        sums = table.probabilities.sum(-1, keepdims=True)
        rounding = np.abs(sums - 1.0) < ROUNDING
        off = np.abs(sums - 1.0).max(where=rounding, initial=0.0)
        if off > OFF:
            worst[variable] = off
            divided = np.divide(table.probabilities, sums, out=table.probabilities.copy(), where=rounding)
            normalized[variable] = Table(divided, table.parents, table.states)
    if worst:
        log.warning(
            "%d of %d tables had rows off one by up to %.1g: normalised", len(worst), len(tables), max(worst.values())
        )
    return normalized


@dataclass(frozen=True, eq=False)
class Conditional:
    """Any distribution of TensorFlow Probability, its parameters functions of the parents.

    Attributes:
        distribution: called with one tensor for each parent, in order: numbers of a continuous parent, indices of the
            states of another. Returns a `tfd.Distribution` of scalars, vectors or matrices whose parameters broadcast
            over the tensors' leading axes. Parameters that are Python's numbers, or float32, become float64.
        parents: their names.
        states: None for a continuous variable; otherwise the names of the states that samples are indices of.
    """

    distribution: Callable[..., tfp.distributions.Distribution]
    parents: tuple[str, ...] = ()
    states: tuple[State, ...] | None = field(default=None)

    def __call__(self, *parents: Any) -> tfp.distributions.Distribution:
        from pgm_tfp.backend import tf

        tensors = [tf.convert_to_tensor(parent) for parent in parents]  # of NumPy's, TFP would make float32
        return in_float64(self.distribution(*(tf.cast(t, tf.int32) if t.dtype.is_integer else t for t in tensors)))

    def sample(self, parents: Sequence[np.ndarray], n: int, random: np.random.Generator) -> np.ndarray:
        """Numbers, or indices of states, (n, *event), one drawn for each row of the parents' values, (n, ...) each."""
        distribution = self(*parents)
        shape = () if distribution.batch_shape.rank else (n,)  # its parameters may not depend on the parents
        # A pair as the seed: with a single one a draw depends on those before it.
        return distribution.sample(shape, seed=random.integers(2**31, size=2, dtype=np.int32)).numpy()


@contextmanager
def naming(variable: str) -> Iterator[None]:
    """Errors of a variable's distribution inside its `with` block become a UserError that names the variable."""
    from pgm_tfp.backend import tf

    try:
        yield
    except (TypeError, ValueError, tf.errors.InvalidArgumentError) as reason:
        raise UserError(
            f"{variable}: its distribution cannot be computed ({str(reason).strip().splitlines()[0]}); it is called "
            "with float64 tensors that may have leading axes, and its parameters must broadcast over these"
        ) from reason


def log_density(distribution: tfp.distributions.Distribution, value: Any) -> tf.Tensor:
    """log p(value), float64, of whichever type the distribution's values are."""
    from pgm_tfp.backend import tf

    return tf.cast(distribution.log_prob(tf.cast(value, distribution.dtype)), tf.float64)


def in_float64(part: Any) -> Any:
    """A distribution or a bijector with its parameters in float64; TFP makes float32 of Python's numbers."""
    from pgm_tfp.backend import tf

    if part.dtype == tf.float64:
        return part
    changes = {}
    for name, properties in type(part).parameter_properties(dtype=tf.float64).items():
        value = part.parameters.get(name)
        if value is None or properties.specifies_shape:
            continue
        if not properties.is_tensor:
            changes[name] = _all_in_float64(value)
        else:  # a Python number would pass through float32 on its way to tf.cast
            changes[name] = tf.cast(value, tf.float64) if tf.is_tensor(value) else tf.constant(value, tf.float64)
    return part.copy(**changes) if changes else part


def _all_in_float64(parts: Any) -> Any:
    return [in_float64(part) for part in parts] if isinstance(parts, (list, tuple)) else in_float64(parts)
