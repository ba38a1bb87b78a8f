"""The methods by name, and the functions that ask them."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from math import inf
from time import monotonic
from typing import NamedTuple

from common.errors import UserError, nearest
from pgm_tfp.approximate.approximation import ERROR, Approximation, Method, question
from pgm_tfp.approximate.gibbs import gibbs
from pgm_tfp.approximate.likelihood_weighting import likelihood_weighting
from pgm_tfp.approximate.loopy import loopy
from pgm_tfp.approximate.naive_mean_field import mean_field_answers
from pgm_tfp.approximate.tree_reweighted import tree_reweighted
from pgm_tfp.conditionals import State
from pgm_tfp.exact import Network
from pgm_tfp.exact.evidence import Evidence
from pgm_tfp.networks import BayesianNetwork

METHODS: dict[str, Method] = {
    "likelihood_weighting": likelihood_weighting,
    "gibbs": gibbs,
    "loopy": loopy,
    "tree_reweighted": tree_reweighted,
    "mean_field": mean_field_answers,
}
DEFAULT = "likelihood_weighting"
SAMPLERS = ("likelihood_weighting", "gibbs")  # more time makes their errors smaller


class UnreliableError(UserError):
    """An approximate method's own tests say that its answer is not reliable."""


class Estimate(NamedTuple):
    """An approximate marginal.

    Attributes:
        probabilities: of each state.
        standard_errors: of each probability; zero where the answer is exact, NaN where the method does not know it.
    """

    probabilities: Mapping[State, float]
    standard_errors: Mapping[State, float]


def marginal(
    network: Network,
    variable: str,
    evidence: Evidence | None = None,
    method: str = DEFAULT,
    seed: int = 0,
    seconds: float | None = None,
) -> Estimate:
    """The approximate p(variable | evidence), with standard errors.

    Args:
        evidence: by variable the state that was seen, or for each state the likelihood of the finding.
        method: "likelihood_weighting", "gibbs", "loopy", "tree_reweighted" or "mean_field".
        seed: of all random numbers; one seed gives one answer.
        seconds: as for `infer`.

    Raises:
        UserError: a name is unknown, or the method does not fit the network.
        UnreliableError: the answer is not reliable. The message has the reason; `infer` has the numbers.
    """
    found = infer(network, evidence, method, about=[variable], seed=seed, seconds=seconds)
    if not found.converged:
        raise unreliable(found)
    return Estimate(found.marginal(variable), found.standard_error(variable))


def infer(
    network: Network,
    evidence: Evidence | None = None,
    method: str = DEFAULT,
    about: Sequence[str] | None = None,
    seed: int = 0,
    error: float | None = None,
    seconds: float | None = None,
) -> Approximation:
    """Approximate marginals and log p(evidence), and whether they are reliable by the method's own tests.

    Args:
        about: the variables of the question; None for all. A Bayesian network is pruned to what matters for them.
        error: the largest standard error of a probability at which a sampler stops; 0.005 by default, and none if
            `seconds` is given.
        seconds: the time to use. Without it, a method stops after a fixed amount of work, about ten seconds at most on
            networks of a thousand variables, and one seed gives one answer.

    Raises:
        UserError: a name is unknown, or the method does not fit the network.
    """
    # Every method yields an answer or raises; the last one is kept.
    return deque(answers(network, evidence, method, about, seed, error, seconds), maxlen=1).pop()


def answers(
    network: Network,
    evidence: Evidence | None = None,
    method: str = DEFAULT,
    about: Sequence[str] | None = None,
    seed: int = 0,
    error: float | None = None,
    seconds: float | None = None,
) -> Iterator[Approximation]:
    """As `infer`, but one answer after the other while the method works, to stop at any of them."""
    if method not in METHODS:
        raise UserError(f"no method is named {method}; {nearest(str(method), METHODS)}")
    started, patience = monotonic(), 1.0 if seconds is None else inf
    if error is None:
        error = ERROR if seconds is None else 0.0
    for answer in METHODS[method](question(network, evidence, about, seed, error, patience)):
        yield answer
        if seconds is not None and monotonic() - started >= seconds:
            return


def unreliable(found: Approximation) -> UnreliableError:
    """The error for an answer that is not reliable; it has the reason and the other methods."""
    directed = isinstance(found.network, BayesianNetwork)
    others = [name for name in METHODS if name != found.method and (directed or name != "likelihood_weighting")]
    more = ", or give it more seconds" if found.method in SAMPLERS else ""
    return UnreliableError(f"{found.method} has no reliable answer: {found.doubt}; try {', '.join(others)}{more}")
