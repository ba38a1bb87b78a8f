"""Conditional distributions of a variable given its parents: tables, and any distribution of TensorFlow Probability."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from common.errors import UserError
from pgm_tfp.html_tables import html_table
from pgm_tfp.states import BINARY, State

if TYPE_CHECKING:
    import tensorflow as tf
    import tensorflow_probability as tfp

TOLERANCE = 1e-6  # how far the sum of a row may be from one: files have six digits or more
OFF = 1e-12  # smaller differences from one are rounding errors of the sum, and are not logged
ROUNDING = 1e-3  # how far a row's sum may be from one because a file gives few digits

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Table:
    """P(variable | parents), where the variable and its parents have finitely many states.

    Attributes:
        probabilities: float64, one axis for each parent, in order, and the variable's own axis last; sums over the last
            axis are one.
        parents: the names of the parents.
        states: the names of the variable's states, in the order of the last axis.
    """

    probabilities: np.ndarray
    parents: tuple[str, ...] = ()
    states: tuple[State, ...] = BINARY

    def __init__(self, probabilities: ArrayLike, parents: Iterable[str] = (), states: Sequence[State] = BINARY) -> None:
        object.__setattr__(self, "probabilities", np.asarray(probabilities, np.float64))
        object.__setattr__(self, "parents", tuple(parents))
        object.__setattr__(self, "states", tuple(states))

    def _repr_html_(self) -> str:
        # A table does not know the names of its parents' states, so their numbers stand for them.
        rows = ((*index, *map(float, self.probabilities[index])) for index in np.ndindex(self.probabilities.shape[:-1]))
        count = self.probabilities[..., 0].size
        return html_table([*self.parents, *(f"P({state})" for state in self.states)], rows, count)

    @classmethod
    def of_true(cls, probabilities: ArrayLike, parents: Iterable[str] = ()) -> Table:
        """The table of a binary variable, given P(true | parents) with one axis for each parent."""
        true = np.asarray(probabilities, np.float64)
        return cls(np.stack([1.0 - true, true], -1), parents)

    def sample(self, parents: Sequence[np.ndarray], n: int, random: np.random.Generator) -> np.ndarray:
        """Random indices of states, (n,), one for each row of the parents' indices, (n,) each."""
        cumulative = self.probabilities.cumsum(-1)[tuple(parents)]
        # The last bound is one, up to rounding, so it is not compared.
        return (random.random((n, 1)) >= cumulative[..., :-1]).sum(-1)

    def checked(self, variable: str, parents_states: Mapping[str, Sequence[State]]) -> None:
        """Raise UserError unless this is a conditional distribution of the variable given parents with these states."""
        if not self.states or len(set(self.states)) != len(self.states):
            raise UserError(f"{variable}: states {self.states} must be one or more, all different")
        name = f"P({variable} | {', '.join(self.parents)})" if self.parents else f"P({variable})"
        expected = (*(len(parents_states[parent]) for parent in self.parents), len(self.states))
        if self.probabilities.shape != expected:
            raise UserError(
                f"{name}: expected a table of shape {expected}, the numbers of states of "
                f"{', '.join([*self.parents, variable])}; given {self.probabilities.shape}"
            )
        rows = self.probabilities.reshape(-1, len(self.states))
        # Not-a-number fails this comparison, too.
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
    """The tables, rows divided by their sum if it is one up to rounding; a warning counts these tables.

    A row whose sum differs by more stays as it is, so that the network's own check names it.
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
    """P(variable | parents) as a distribution of TensorFlow Probability whose parameters depend on the parents.

    Attributes:
        distribution: a function of one tensor for each parent, in order: numbers for a continuous parent, indices of
            states for a discrete parent. The function returns a `tfd.Distribution` of scalars, vectors or matrices
            whose parameters broadcast over the tensors' leading axes. Parameters that are Python numbers or float32
            become float64.
        parents: the names of the parents.
        states: None for a continuous variable; for a discrete variable the names of the states, whose indices the
            distribution samples.
    """

    distribution: Callable[..., tfp.distributions.Distribution]
    parents: tuple[str, ...] = ()
    states: tuple[State, ...] | None = field(default=None)

    @classmethod
    def constant(cls, number: np.ndarray) -> Conditional:
        """The distribution of a variable without parents that always has this value."""

        def distribution() -> tfp.distributions.Distribution:
            from pgm_tfp.backend import tfd

            return tfd.Independent(tfd.Deterministic(number), number.ndim) if number.ndim else tfd.Deterministic(number)

        return cls(distribution)

    def __call__(self, *parents: Any) -> tfp.distributions.Distribution:
        from pgm_tfp.backend import tf

        tensors = [tf.convert_to_tensor(parent) for parent in parents]  # TFP would convert NumPy arrays to float32
        return in_float64(self.distribution(*(tf.cast(t, tf.int32) if t.dtype.is_integer else t for t in tensors)))

    def sample(self, parents: Sequence[np.ndarray], n: int, random: np.random.Generator) -> np.ndarray:
        """Random numbers, or indices of states, (n, *event), one for each row of the parents' values, (n, ...) each."""
        distribution = self(*parents)
        shape = () if distribution.batch_shape.rank else (n,)  # () if no parameter depends on the parents
        # The seed is a pair: with a single integer, a draw would depend on earlier draws.
        return distribution.sample(shape, seed=random.integers(2**31, size=2, dtype=np.int32)).numpy()


@contextmanager
def naming(variable: str) -> Iterator[None]:
    """Turn errors of a variable's distribution inside the `with` block into a UserError that names the variable."""
    from pgm_tfp.backend import tf

    try:
        yield
    except (TypeError, ValueError, tf.errors.InvalidArgumentError) as reason:
        raise UserError(
            f"{variable}: its distribution cannot be computed ({str(reason).strip().splitlines()[0]}); it is called "
            "with float64 tensors that can have leading axes, and its parameters must broadcast over these axes"
        ) from reason


def log_density(distribution: tfp.distributions.Distribution, value: Any) -> tf.Tensor:
    """log p(value) in float64, whatever the type of the distribution's values is."""
    from pgm_tfp.backend import tf

    return tf.cast(distribution.log_prob(tf.cast(value, distribution.dtype)), tf.float64)


def in_float64(part: Any) -> Any:
    """A distribution or a bijector with its parameters in float64, and those of its parts; TFP's default is float32."""
    from pgm_tfp.backend import tf

    changes = {}
    for name, properties in type(part).parameter_properties(dtype=tf.float64).items():
        value = part.parameters.get(name)
        if value is None or properties.specifies_shape:
            continue
        if not properties.is_tensor:
            if (converted := _all_in_float64(value)) is not value:
                changes[name] = converted
        elif getattr(value, "dtype", None) != tf.float64:  # tf.cast would convert a Python number to float32 first
            changes[name] = tf.cast(value, tf.float64) if tf.is_tensor(value) else tf.constant(value, tf.float64)
    return part.copy(**changes) if changes else part


def _all_in_float64(parts: Any) -> Any:
    """These parts in float64, a list of parts or one; the same object if there is nothing to convert."""
    if not isinstance(parts, (list, tuple)):
        return in_float64(parts)
    converted = [in_float64(part) for part in parts]
    return converted if any(new is not old for new, old in zip(converted, parts, strict=True)) else parts
