"""Conditional distributions of one variable given its parents: tables, and anything that TensorFlow Probability has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from data.errors import UserError

if TYPE_CHECKING:
    import tensorflow as tf
    import tensorflow_probability as tfp

State = bool | int | str
BINARY: tuple[State, ...] = (False, True)
TOLERANCE = 1e-6  # by how much a row of a table may miss one: files hold six digits or more


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
        for index in np.ndindex(expected[:-1]):
            row = self.probabilities[index]
            given = [f"{parent}={parents_states[parent][at]}" for parent, at in zip(self.parents, index, strict=True)]
            where = f"P({variable} | {', '.join(given)})" if given else name
            if not (row >= 0).all():  # not-a-number is not, either
                raise UserError(f"{where}: expected probabilities, given {row.tolist()}")
            if abs(row.sum() - 1.0) > TOLERANCE:
                raise UserError(
                    f"{where}: expected probabilities that sum to 1, given {row.tolist()} (sum {row.sum():g})"
                )


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
