"""Countable variables (Poisson, geometric, ...) as variables with finitely many states.

Such a variable has infinitely many values, so a sum over them must end at some value `high`. The prior exceeds `high`
with probability below 1e-12. Then `high` is doubled until the upper half of the range has posterior probability below
1e-9, too. `Truncation.tail` states the probability of that half, so that nobody has to assume that it is zero.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple, TypeGuard

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from common.errors import UserError
from pgm_tfp.conditionals import Conditional, Table, naming
from pgm_tfp.networks import BayesianNetwork
from pgm_tfp.variational.coordinates import bijector_of

MOST_VALUES = 2**12  # of one variable
PRIOR_TAIL, POSTERIOR_TAIL = 1e-12, 1e-9
DRAWS = 200  # of the variable's parents
ROUNDING = 1e-9  # a sum of probabilities above 1 by more than this is no rounding error


class Truncation(NamedTuple):
    """Where the sum over a countable variable ends.

    Attributes:
        high: the largest value that is summed.
        bounded: whether larger values have probability zero.
        tail: posterior probability of the upper half of the range. It bounds the probability of larger values where
            the posterior falls. It is 0 where larger values are impossible.
    """

    high: int
    bounded: bool
    tail: float = 0.0


def _without_states(conditional: Table | Conditional) -> TypeGuard[Conditional]:
    return isinstance(conditional, Conditional) and conditional.states is None


def is_countable(variable: str, distribution: tfp.distributions.Distribution) -> bool:
    """Whether this is a distribution of integers whose states have no names.

    Raises:
        UserError: it is a distribution of vectors of integers, or of a few values that need names.
    """
    if bijector_of(distribution) is not None:
        return False
    kind = type(distribution).__name__
    if len(distribution.event_shape):
        raise UserError(f"{variable}: a hidden {kind} is a vector of integers; observe it, or split it into scalars")
    if isinstance(distribution, (tfp.distributions.Categorical, tfp.distributions.Bernoulli)):
        raise UserError(f"{variable}: a hidden {kind} needs the names of its values; give states to its Conditional")
    return True


def prior_truncation(distribution: tfp.distributions.Distribution) -> Truncation:
    """The shortest range outside which the prior has less than 1e-12, for every draw of the parents.

    Args:
        distribution: a batch with one distribution for each draw of the parents, or a single distribution.
    """
    values = np.arange(MOST_VALUES, dtype=np.float64)
    grid = tf.constant(values.reshape(-1, *[1] * len(distribution.batch_shape)), distribution.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        logs = tf.cast(distribution.log_prob(grid), tf.float64).numpy().reshape(MOST_VALUES, -1)
    total = np.nan_to_num(np.exp(logs), nan=np.inf).cumsum(0)
    enough = (total >= 1.0 - PRIOR_TAIL).all(1)
    if not enough.any():
        return Truncation(MOST_VALUES - 1, bounded=False)
    high = int(enough.argmax())
    # A formula may give probabilities beyond the end of a bounded support; their sum is then more than one.
    bounded = high + 1 < MOST_VALUES and bool((total[-1] > 1.0 + ROUNDING).any() or (total[high] == total[-1]).all())
    return Truncation(high, bounded)


def truncated(network: BayesianNetwork, highs: Mapping[str, int], dtypes: Mapping[str, Any]) -> BayesianNetwork:
    """The network with finitely many states of these countable variables: state i is the integer i.

    Args:
        highs: by variable the largest value that is kept.
        dtypes: by variable the type that the distributions of its children expect for its values.
    """
    conditionals: dict[str, Table | Conditional] = {}
    for variable, conditional in network.conditionals.items():
        if isinstance(conditional, Table):
            conditionals[variable] = conditional
            continue
        states = tuple(range(highs[variable] + 1)) if variable in highs else conditional.states
        conditionals[variable] = Conditional(_given(conditional, dtypes), conditional.parents, states)
    return BayesianNetwork(conditionals)


def _given(conditional: Conditional, dtypes: Mapping[str, Any]) -> Callable[..., Any]:
    """The conditional's distribution, as a function of parents that may be state indices instead of values."""
    if not set(dtypes) & set(conditional.parents):
        return conditional.distribution

    def distribution(*parents: Any) -> Any:
        named = zip(conditional.parents, parents, strict=True)
        return conditional.distribution(*(tf.cast(p, dtypes[name]) if name in dtypes else p for name, p in named))

    return distribution


def countable_variables(network: BayesianNetwork, hidden: Collection[str]) -> dict[str, tfp.distributions.Distribution]:
    """The hidden variables that are countable, each with its distribution at draws of its parents.

    Raises:
        UserError: a distribution cannot be computed, or has neither coordinates nor names of states.
    """
    if not any(_without_states(network.conditionals[variable]) for variable in hidden):
        return {}
    values, found = network.sample_values(DRAWS, seed=0), {}
    for variable in hidden:
        conditional = network.conditionals[variable]
        if _without_states(conditional):
            with naming(variable):
                distribution = conditional(*(values[parent] for parent in conditional.parents))
            if is_countable(variable, distribution):
                if (values[variable] < 0).any():
                    raise UserError(f"{variable}: hidden integers must not be negative; shift its distribution")
                found[variable] = distribution
    return found
