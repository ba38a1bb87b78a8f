"""Likelihood weighting: draws from the network with the observed variables held, weighted by the evidence.

    x ~ prod_{i hidden} p(x_i | pa_i)        w(x) = prod_{i observed} p(e_i | pa_i) prod_soft lambda(x)

    p(e) = E[w]        p(x_i = s | e) = E[w 1(x_i = s)] / E[w]

(Fung & Chang 1990; Shachter & Peot 1990; Koller & Friedman 2009, section 12.3). The standard error of the ratio is that
of the delta method, sqrt(sum w^2 (1(x_i = s) - p)^2) / sum w.

The draws cannot show states that they never reached. A state that no draw of n reached has a prior probability of at
most 3 / n (with confidence 95 %), so it adds at most 3 W / n to p(e), where W is the largest weight that any state can
have. The answer is reliable only if this share of p(e) is small, and half of the share counts as an error. So a rare
cause of the evidence cannot hide behind equal weights.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from common.errors import UserError
from pgm_tfp import elimination
from pgm_tfp.approximate.approximation import Approximation, Question, impossible, is_small
from pgm_tfp.conditionals import Table
from pgm_tfp.networks import BayesianNetwork
from pgm_tfp.potentials import LOG_MAX_PRODUCT, Potential, held
from pgm_tfp.results import LogEvidence

NAME = "likelihood_weighting"
AT_ONCE = 2**14  # draws of one batch; fewer if the network is large
CELLS_AT_ONCE = 2**25  # draws times variables of one batch
MOST_CELLS = 3 * 10**8  # draws times variables, after which the method gives up
MOST_DRAWS = 2**22
FEWEST_EFFECTIVE = 400
UNSEEN = 3.0  # -log(0.05): the mean number of hits of what is missed with probability 5 %
LARGEST_UNSEEN_SHARE = 0.01
FEWEST_HITS = 2**0.5  # the error of a probability is at least that of so many draws; a state may have been missed


class Sums(NamedTuple):
    """Sums over the draws, divided by the largest weight so far.

    Attributes:
        log_scale: the logarithm of this weight.
        weight: of the weights.
        square: of their squares.
        of_state: for each hidden variable, the weights of the draws in each of its states.
        square_of_state: the same of squared weights.
        draws: their number.
    """

    log_scale: float
    weight: float
    square: float
    of_state: list[np.ndarray]
    square_of_state: list[np.ndarray]
    draws: int


def likelihood_weighting(question: Question) -> Iterator[Approximation]:
    """Probabilities and log p(evidence) from weighted draws of a Bayesian network, with standard errors.

    Raises:
        UserError: the network is a Markov network, or no state of the network has a weight above zero.
    """
    if not isinstance(question.network, BayesianNetwork):
        raise UserError("likelihood_weighting draws along the edges of a Bayesian network; take gibbs for a Markov one")
    random = np.random.default_rng(question.seed)
    names = _names(question)
    heaviest = largest_log_weight(question)
    if heaviest == -np.inf:
        raise impossible()
    batch = max(1, min(AT_ONCE, CELLS_AT_ONCE // max(1, len(names))))
    most = question.patience * min(MOST_DRAWS, MOST_CELLS / max(1, len(names)))
    none = [np.zeros(size) for size in question.sizes]
    sums = Sums(-np.inf, 0.0, 0.0, none, none, 0)
    goal = 4 * batch
    while True:
        while sums.draws < goal:
            sums = _added(sums, weighted_draws(question, batch, random), question)
            answer = _answer(question, sums, heaviest)
            yield answer
        if goal >= most or (answer.converged and answer.largest_error() <= question.error):
            return
        goal *= 2


def largest_log_weight(question: Question) -> float:
    """An upper bound of log w(x) over all x: its maximum where that is affordable, else the product of maxima.

    It is also an upper bound of log p(evidence). For a Markov network there is none (infinity).
    """
    if not isinstance(question.network, BayesianNetwork):
        return np.inf
    weights = _weighting(question)
    if is_small(weights):
        return elimination.maximum([held(potential, LOG_MAX_PRODUCT) for potential in weights])[1]
    with np.errstate(divide="ignore"):
        return float(sum(np.log(potential.values.max()) for potential in weights))


def _weighting(question: Question) -> list[Potential]:
    """The potentials whose product is the weight of a draw."""
    states, tables = question.findings.states, _tables(question)
    seen = [Potential((*tables[name].parents, name), tables[name].probabilities).reduced(states) for name in states]
    return [*seen, *(likelihood.reduced(states) for likelihood in question.findings.likelihoods)]


def _tables(question: Question) -> dict[str, Table]:
    assert isinstance(question.network, BayesianNetwork)
    return {name: question.network.table(name) for name in question.network.graph}


def _names(question: Question) -> list[str]:
    """All variables of the question, parents first."""
    asked = {*question.hidden, *question.findings.states}
    return [name for name in question.network.graph if name in asked]


def weighted_draws(question: Question, n: int, random: np.random.Generator) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Draws of all variables by name, (n,) indices of states each, and their log weights, (n,)."""
    states, tables = question.findings.states, _tables(question)
    drawn: dict[str, np.ndarray] = {}
    for name in _names(question):
        if name in states:
            drawn[name] = np.full(n, states[name])
        else:
            drawn[name] = tables[name].sample([drawn[parent] for parent in tables[name].parents], n, random)
    log_weights = np.zeros(n)
    for potential in _weighting(question):
        with np.errstate(divide="ignore"):
            log_weights += np.log(potential.values[tuple(drawn[name] for name in potential.variables)])
    return drawn, log_weights


def _added(sums: Sums, batch: tuple[dict[str, np.ndarray], np.ndarray], question: Question) -> Sums:
    drawn, log_weights = batch
    log_scale = max(sums.log_scale, float(log_weights.max()))
    if log_scale == -np.inf:
        return sums._replace(draws=sums.draws + len(log_weights))
    weights, shrink = np.exp(log_weights - log_scale), np.exp(sums.log_scale - log_scale)
    return Sums(
        log_scale,
        shrink * sums.weight + weights.sum(),
        shrink**2 * sums.square + (weights**2).sum(),
        [
            shrink * before + np.bincount(drawn[name], weights, len(before))
            for name, before in zip(question.hidden, sums.of_state, strict=True)
        ],
        [
            shrink**2 * before + np.bincount(drawn[name], weights**2, len(before))
            for name, before in zip(question.hidden, sums.square_of_state, strict=True)
        ],
        sums.draws + len(log_weights),
    )


def _answer(question: Question, sums: Sums, heaviest: float) -> Approximation:
    work = f"{sums.draws:,} draws"
    if sums.weight == 0.0:
        flat = [np.full(size, 1.0 / size) for size in question.sizes]
        unknown = LogEvidence("unknown")
        doubt = f"none of {sums.draws:,} draws agrees with the evidence"
        return Approximation(
            NAME, question.network, question.marginals(flat), question.errors(None), unknown, doubt, work
        )
    probabilities = [row / sums.weight for row in sums.of_state]
    effective = sums.weight**2 / sums.square
    # 3 W / n against p(e), where W is the largest weight
    log_unseen = np.log(UNSEEN) + heaviest - sums.log_scale - np.log(sums.weight)
    unseen = float(np.exp(min(log_unseen, 0.0)))
    errors = [
        _standard_errors(row, squares, sums, max(FEWEST_HITS / effective, unseen / 2))
        for row, squares in zip(probabilities, sums.square_of_state, strict=True)
    ]
    mean = sums.weight / sums.draws
    relative = max(sums.square / sums.draws - mean**2, 0.0) / sums.draws / mean**2
    doubt = ""
    if effective < FEWEST_EFFECTIVE:
        doubt = f"{sums.draws:,} draws have an effective sample size of {effective:,.0f}; {FEWEST_EFFECTIVE} are needed"
    elif unseen > LARGEST_UNSEEN_SHARE:
        doubt = (
            f"the evidence is rare: states that {sums.draws:,} draws did not reach could add {100 * unseen:.2g} % "
            f"{'or more ' if log_unseen > 0 else ''}to its probability"
        )
    # Without findings every weight is one, and so is p(e).
    error = float(np.sqrt(relative + (unseen / 2) ** 2)) if question.findings.variables() else 0.0
    log_weight = LogEvidence("estimated", sums.log_scale + float(np.log(mean)), error)
    work += f", effective sample size {effective:,.0f}"
    return Approximation(
        NAME, question.network, question.marginals(probabilities), question.errors(errors), log_weight, doubt, work
    )


def _standard_errors(p: np.ndarray, squares: np.ndarray, sums: Sums, unseen: float) -> np.ndarray:
    """The delta method's, and the error by what the draws did not reach."""
    if len(p) == 1:
        return np.zeros(1)
    # sum w^2 (1(x = s) - p)^2 = (1 - 2 p) sum_{x = s} w^2 + p^2 sum w^2
    delta = np.maximum((1.0 - 2.0 * p) * squares + p**2 * sums.square, 0.0) / sums.weight**2
    return np.sqrt(delta + unseen**2)
