"""What a family of surrogates has to offer, so that `fit` can use it.

A family is one class. It says which targets it can serve and how it is fitted. A class registers with one line,
`register(MyFamily())` (`pgm_tfp.variational.registry`). Two base classes do most of the work:
`pgm_tfp.variational.reparameterised` for continuous variables and `pgm_tfp.variational.tables` for discrete ones.
"""

import logging
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import tensorflow_probability as tfp

from pgm_tfp.maximisation import MOST_ITERATIONS, Maximum
from pgm_tfp.networks import BayesianNetwork
from pgm_tfp.variational.targets import Target

log = logging.getLogger(__name__)

MOST_STANDARD_ERRORS = 4.0  # a larger difference is not attributed to chance
AGREEMENT = 1e-3  # nats by which the best start may exceed the second best; a larger lead may be luck


class Settings(NamedTuple):
    """How a surrogate is fitted.

    Attributes:
        algorithm: the name of the algorithm; None for the family's own choice.
        seed: of the random starts and the noise.
        starts: the number of random starts.
    """

    algorithm: str | None
    seed: int
    starts: int


class Optimum(NamedTuple):
    """The best surrogate that an algorithm found in a family.

    Attributes:
        surrogate: a distribution of state indices by name, or of vectors of the hidden continuous variables'
            unconstrained coordinates (which are the variables themselves where these are real numbers).
        variables: the variables that the surrogate is about, in the order of the vector.
        elbo: in nats.
        elbo_error: its standard error; zero where the ELBO is a sum over all joint states.
        trace: the ELBO after each iteration of the best start.
        algorithm: the name of the algorithm.
        starts: the last ELBO of every start.
        converged: whether the best start converged and a second start reached the same ELBO.
        network: a surrogate of discrete variables as a network; None for continuous variables.
    """

    surrogate: tfp.distributions.Distribution
    variables: tuple[str, ...]
    elbo: float
    elbo_error: float
    trace: np.ndarray
    algorithm: str
    starts: list[float]
    converged: bool
    network: BayesianNetwork | None = None


class Family(Protocol):
    """A family of surrogates."""

    @property
    def name(self) -> str:
        """The name by which `fit` finds the family."""
        ...

    def refusal(self, target: Target) -> str | None:
        """Why the family cannot serve a target, as the end of a sentence about it; None where it can."""
        ...

    def fit(self, target: Target, settings: Settings) -> Optimum:
        """The surrogate of the family with the highest ELBO.

        Raises:
            UserError: the family has no such algorithm, or a density is not a number.
        """
        ...


def best_start(maxima: Sequence[Maximum], family: str) -> tuple[Maximum, bool]:
    """The highest maximum, and whether it can be trusted.

    It can where the optimiser converged there and a second start reached the same value.
    """
    best = max(maxima, key=lambda maximum: maximum.value)
    if not best.converged:
        log.warning(
            "%s: no start converged in %d iterations; pass more starts or a simpler family", family, MOST_ITERATIONS
        )
    return best, starts_agree([maximum.value for maximum in maxima], AGREEMENT, family) and best.converged


def starts_agree(elbos: Sequence[float], allowed: float, family: str) -> bool:
    """Whether two starts reached the highest ELBO, to within `allowed` nats; the log has a warning where not."""
    highest, *others = sorted(elbos, reverse=True)
    if not others:
        log.warning("%s: one start alone cannot show that it found the highest ELBO; pass two or more starts", family)
        return False
    if highest - others[0] >= allowed:
        log.warning("%s: only one of %d starts reached the highest ELBO; pass more starts", family, len(elbos))
        return False
    return True
