"""The three questions that every approximate method answers about p(hidden variables | evidence).

What is the marginal of a variable? What is log p(evidence)? Has the method converged? `Result` is the protocol; `Fit`,
`Quadrature`, `Chains` and `MeanField` follow it. A new method is a new file whose result follows it too.
"""

from collections.abc import Mapping
from math import nan
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np

from pgm_tfp.states import State

KNOWN = 1e-4  # largest error, in nats, of an evidence that counts as known


class LogEvidence(NamedTuple):
    """What a method knows of log p(evidence), in nats.

    Attributes:
        kind: "known": log p(evidence) is the value, give or take the error. "bounded": log p(evidence) is at least the
            value; the error is its standard error, or by how much it may be too low: infinity if there is no upper
            bound, NaN if that is not known. "estimated": the value is an estimate from random draws, and the error is
            its standard error. "unknown": no usable value.
        value: in nats; not a number (NaN) where a method has none.
        error: in nats.
    """

    kind: Literal["known", "bounded", "estimated", "unknown"]
    value: float = nan
    error: float = nan


def summed(value: float, error: float, tail: float) -> LogEvidence:
    """The evidence by sums and integrals: known if its error is at most 1e-4 nats.

    Args:
        error: of the value, in nats.
        tail: bound on the share of p(evidence) that is not summed; the value is too low by that much at most.
    """
    whole = error + tail
    if whole <= KNOWN:
        return LogEvidence("known", value, whole)
    return LogEvidence("bounded" if error <= KNOWN else "unknown", value, whole)


class WeightedPoints(NamedTuple):
    """A distribution of one continuous variable, as points with probabilities.

    Attributes:
        points: values of the variable, (points, *shape of one value).
        weights: their probabilities, (points,), which sum to one.
        moments: the highest order of the moments that the points determine, 0 to 2.
    """

    points: np.ndarray
    weights: np.ndarray
    moments: int = 2

    def mean(self) -> np.ndarray:
        """The mean, of the shape of one value; NaN where it is unknown."""
        mean = np.tensordot(self.weights, self.points, 1)
        return mean if self.moments >= 1 else np.full_like(mean, np.nan)

    def std(self) -> np.ndarray:
        """The standard deviation, of the shape of one value; NaN where it is unknown."""
        mean = np.tensordot(self.weights, self.points, 1)
        if self.moments < 2:
            return np.full_like(mean, np.nan)
        return np.sqrt(np.tensordot(self.weights, (self.points - mean) ** 2, 1))


Marginal = Mapping[State, float] | WeightedPoints


@runtime_checkable
class Result(Protocol):
    """What every approximate method returns."""

    def marginal(self, variable: str) -> Marginal:
        """The approximate p(variable | evidence).

        Returns:
            For a discrete variable, the probability of each state; for a continuous one, weighted points.

        Raises:
            UserError: the variable is not hidden.
        """
        ...

    @property
    def log_evidence(self) -> LogEvidence:
        """What the method knows of log p(evidence)."""
        ...

    @property
    def converged(self) -> bool:
        """Whether the method met its own test of convergence."""
        ...
