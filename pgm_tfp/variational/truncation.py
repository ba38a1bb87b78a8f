"""Countable variables (Poisson, geometric, ...) as variables with finitely many states.

Such a variable has endless support, so a sum over its values has to end somewhere. It ends at a `high` that the prior
exceeds with probability below 1e-12, and that is doubled until the upper half of the range holds next to nothing of the
posterior, too. What is left out is stated, not assumed to be zero.
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
ROUNDING = 1e-9  # by which probabilities of a bounded support add up to more than one


class Truncation(NamedTuple):
    """Where the sum over a countable variable ends.

    Attributes:
        high: the largest value that is summed.
        bounded: the distribution gives nothing to larger values.
        tail: posterior probability of the upper half of the range, which bounds what lies beyond where the posterior
            falls; 0 for a bounded one.
    """

    high: int
    bounded: bool
    tail: float = 0.0


def _without_states(conditional: Table | Conditional) -> TypeGuard[Conditional]:
    return isinstance(conditional, Conditional) and conditional.states is None


def is_countable(variable: str, distribution: tfp.distributions.Distribution) -> bool:
    """Is this a distribution of integers without names of states?

    Raises:
        UserError: it is one of vectors of integers, or of a few values that want names.
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
    """The shortest range outside which the prior has less than 1e-12, whatever the parents' draws.

    Args:
        distribution: its batch holds one distribution for each draw of the parents, or one in all.
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
    # Beyond the end of a bounded support a formula may go on: probabilities then add up to more than one.
    bounded = high + 1 < MOST_VALUES and bool((total[-1] > 1.0 + ROUNDING).any() or (total[high] == total[-1]).all())
    return Truncation(high, bounded)


def truncated(network: BayesianNetwork, highs: Mapping[str, int], dtypes: Mapping[str, Any]) -> BayesianNetwork:
    """The network with these countable variables cut off: state i of one is the integer i.

    Args:
        highs: by variable the largest value kept.
        dtypes: by variable the type of its values, which its children's distributions are given.
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
    """The conditional's distribution as a function of parents of which some are indices in place of values."""
    if not set(dtypes) & set(conditional.parents):
        return conditional.distribution

    def distribution(*parents: Any) -> Any:
        named = zip(conditional.parents, parents, strict=True)
        return conditional.distribution(*(tf.cast(p, dtypes[name]) if name in dtypes else p for name, p in named))

    return distribution


def countable_variables(network: BayesianNetwork, hidden: Collection[str]) -> dict[str, tfp.distributions.Distribution]:
    """The countable ones of the hidden variables, each with its distribution at draws of its parents.

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
