"""What a family of surrogates has to offer, so that `fit` can use it.

A family is one class. It says which targets it can serve and how it is fitted. A class registers with one line,
`register(MyFamily())` (`pgm_tfp.variational.registry`). Two base classes do most of the work:
`pgm_tfp.variational.reparameterised` for continuous variables and `pgm_tfp.variational.tables` for discrete ones.
"""

import logging
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from pgm_tfp.maximisation import MOST_ITERATIONS, Maximum
from pgm_tfp.variational.fits import Fit
from pgm_tfp.variational.targets import Target

log = logging.getLogger(__name__)

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


class Family(Protocol):
    """A family of surrogates."""

    @property
    def name(self) -> str:
        """The name by which `fit` finds the family."""
        ...

    def refusal(self, target: Target) -> str | None:
        """Why the family cannot serve a target, as the end of a sentence about it; None where it can."""
        ...

    def fit(self, target: Target, settings: Settings) -> Fit:
        """The surrogate of the family with the highest ELBO; the exact evidence stays unknown.

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
