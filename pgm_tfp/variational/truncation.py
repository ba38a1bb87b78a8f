"""Countable variables (Poisson, geometric, ...) as variables with finitely many values.

Such a variable has infinitely many values, so a sum over them must begin and end somewhere. The probability that counts
is the joint one of the value and the evidence: an alarm may need a count that the prior hardly ever gives. So the joint
probability is computed at probes, which lie ever farther apart, up to 2^31. Between two probes it is taken to be at
most the higher of theirs times the number of values. Where this bound is not negligible, all values are summed; the
rest is `Truncation.tail`, so that nobody has to assume that it is zero.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar, NamedTuple, TypeGuard

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from scipy.special import logsumexp

from common.errors import UserError
from pgm_tfp.conditionals import Conditional, Table, in_float64, naming
from pgm_tfp.networks import BayesianNetwork
from pgm_tfp.variational.coordinates import bijector_of

MOST_VALUES = 2**17  # of one variable
MOST_VALUES_AT_DRAWS = 2**12  # where the density is computed for every value at every draw of continuous variables
SEARCHED = 2**12  # values, from zero, in which the end of a bounded support is looked for
PRIOR_TAIL = 1e-12
NEGLIGIBLE = 1e-13  # share of the probability of the evidence that values between two probes may have
FARTHEST = 2**31
PROBES_INSIDE, PROBES_PER_DOUBLING = 64, 6
# Their formulas give probabilities beyond the largest value, `total_count`.
WITH_A_LARGEST = (tfp.distributions.Binomial, tfp.distributions.BetaBinomial)
DRAWS = 200  # of the variable's parents
ROUNDING = 1e-9  # a sum of probabilities above 1 by more than this is no rounding error


class Truncation(NamedTuple):
    """The values over which a countable variable is summed.

    Attributes:
        values: integers from zero up, increasing.
        bounded: whether larger values are impossible.
        tail: bound on the share of p(evidence) that the other values have.
    """

    values: np.ndarray
    bounded: bool
    tail: float = 0.0

    @property
    def high(self) -> int:
        """The largest value."""
        return int(self.values[-1])


class AtValues:
    """A distribution of integers as a distribution of their places in a list of values.

    Args:
        values: (n,), increasing.
    """

    parameters: ClassVar[dict[str, Any]] = {}

    def __init__(self, distribution: tfp.distributions.Distribution, values: np.ndarray):
        self.distribution, self.values = in_float64(distribution), values
        self.dtype, self.event_shape, self.batch_shape = tf.int32, distribution.event_shape, distribution.batch_shape

    @classmethod
    def parameter_properties(cls, dtype: Any) -> dict[str, Any]:
        """None: the distribution is in float64 already."""
        return {}

    def log_prob(self, places: tf.Tensor) -> tf.Tensor:
        """The log probability of the values at these places; -inf for values outside of the support."""
        values = tf.gather(tf.constant(self.values, self.distribution.dtype), places)
        logs = self.distribution.log_prob(values)
        outside = tf.math.is_nan(logs)
        if isinstance(self.distribution, WITH_A_LARGEST):
            outside |= values > self.distribution.total_count
        return tf.where(outside, tf.constant(-np.inf, logs.dtype), logs)


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

    If there is none below 4,096, the range is that of probes.

    Args:
        distribution: a batch with one distribution for each draw of the parents, or a single distribution.
    """
    # Draws of the parents need not include those that allow the largest value.
    alone = distribution.batch_shape.rank == 0
    if alone and isinstance(distribution, WITH_A_LARGEST) and int(distribution.total_count) < MOST_VALUES:
        return Truncation(np.arange(int(distribution.total_count) + 1), bounded=True)
    values = np.arange(SEARCHED, dtype=np.float64)
    grid = tf.constant(values.reshape(-1, *[1] * len(distribution.batch_shape)), distribution.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        logs = tf.cast(distribution.log_prob(grid), tf.float64).numpy().reshape(SEARCHED, -1)
    total = np.nan_to_num(np.exp(logs), nan=0.0).cumsum(0)
    enough = (total >= 1.0 - PRIOR_TAIL).all(1)
    if not enough.any():
        return Truncation(probes(0, SEARCHED), bounded=False)
    high = int(enough.argmax())
    # A formula may give probabilities beyond the end of a bounded support; their sum is then more than one.
    bounded = bool((total[-1] > 1.0 + ROUNDING).any() or (total[high] == total[-1]).all())
    return Truncation(np.arange(high + 1), alone and high + 1 < SEARCHED and bounded)


def probes(low: int, high: int) -> np.ndarray:
    """Values inside a range, evenly, and outside of it, ever farther apart: increasing integers."""
    inside = np.linspace(low, high, PROBES_INSIDE)
    steps = 2.0 ** np.arange(0, np.log2(FARTHEST), 1 / PROBES_PER_DOUBLING)
    found = np.unique(np.rint(np.concatenate([[0, 1], inside, high + steps, low - steps])).astype(np.int64))
    return found[(found >= 0) & (found <= FARTHEST)]


def kept_values(values: np.ndarray, log_weights: np.ndarray, most: int) -> tuple[np.ndarray, float]:
    """The values that have to be summed, and a bound on the share of the probability that the others have.

    Args:
        values: probes, (n,), increasing.
        log_weights: the log of the joint probability of each probe and the evidence, (n,).
        most: the most values that are summed.
    """
    # For the values from probe i up to and without probe i + 1, at most this; for all values, at least that
    counts = np.log(np.diff(values))
    bounds = counts + np.maximum(log_weights[:-1], log_weights[1:])
    total = max(logsumexp(counts + np.minimum(log_weights[:-1], log_weights[1:])), log_weights.max())
    shares = np.exp(bounds - total)
    first, last = int((shares > NEGLIGIBLE).argmax()), len(shares) - int((shares[::-1] > NEGLIGIBLE).argmax())
    peak = int(shares.argmax())
    while values[last] - values[first] >= most and last - first > 1:
        # Leave out the lighter end.
        if last - 1 > peak and (first == peak or shares[last - 1] <= shares[first]):
            last -= 1
        else:
            first += 1
    low, high = int(values[first]), int(min(values[last], values[first] + most - 1))
    return np.arange(low, high + 1), float(shares[:first].sum() + shares[last:].sum())


def truncated(network: BayesianNetwork, values: Mapping[str, np.ndarray], dtypes: Mapping[str, Any]) -> BayesianNetwork:
    """The network with finitely many values of these countable variables.

    Args:
        values: by variable the values that are kept; state i is values[i].
        dtypes: by variable the type that the distributions of its children expect for its values.
    """
    conditionals: dict[str, Table | Conditional] = {}
    for variable, conditional in network.conditionals.items():
        if isinstance(conditional, Table):
            conditionals[variable] = conditional
            continue
        own = values.get(variable)
        states = conditional.states if own is None else tuple(own.tolist())
        conditionals[variable] = Conditional(_given(conditional, values, dtypes, own), conditional.parents, states)
    return BayesianNetwork(conditionals)


def _given(
    conditional: Conditional, values: Mapping[str, np.ndarray], dtypes: Mapping[str, Any], own: np.ndarray | None
) -> Callable[..., Any]:
    """The conditional's distribution, as a function of places in lists of values instead of values.

    Args:
        own: the values of the variable itself, if it is countable.
    """
    if own is None and not set(values) & set(conditional.parents):
        return conditional.distribution

    def at(name: str, parent: Any) -> Any:
        if name not in values:
            return parent
        return tf.gather(tf.constant(values[name], dtypes[name]), tf.cast(parent, tf.int32))

    def distribution(*parents: Any) -> Any:
        given = conditional.distribution(*map(at, conditional.parents, parents))
        return given if own is None else AtValues(given, own)

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
