"""Loopy belief propagation: messages between potentials and variables until they converge.

Without loops the answer is exact. With loops, its error is unknown: the messages may converge to wrong probabilities,
and log p(evidence) by the Bethe free energy is no bound (Koller & Friedman 2009, section 11.3).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from pgm_tfp import elimination
from pgm_tfp.approximate.approximation import Approximation, Question, impossible
from pgm_tfp.approximate.possibility import is_possible
from pgm_tfp.approximate.propagation import Messages, factor_graph, free_energy, propagate, variable_beliefs
from pgm_tfp.results import LogEvidence

NAME = "loopy"
EVERY = 100  # rounds between two answers
STARTS = 4  # of uniform messages, and of random ones
SAME = 1e-3  # the largest difference of a probability at which two starts have converged to the same answer
ROUNDING = 1e-6  # as a share, and in nats: the error of log p(evidence) of converged messages without loops


def loopy(question: Question) -> Iterator[Approximation]:
    """Probabilities by loopy belief propagation; exact where the potentials form no loop.

    With loops there are several starts. The answer has the highest log p(evidence) of them, by the Bethe free energy,
    and it is not reliable if another start does not converge or ends at other probabilities.

    Raises:
        UserError: the evidence is impossible.
    """
    graph = factor_graph(question.potentials, question.hidden)
    known = elimination.log_sum(question.potentials) if graph.forest else None
    if known == -np.inf:
        raise impossible()
    possible = known is not None or is_possible(question) is not None
    starts, rounds = 1 if graph.forest else STARTS, 1.0
    while True:
        random, ends = np.random.default_rng(question.seed), list[End]()
        for start in range(starts):
            for state in propagate(graph, EVERY, rounds, random if start else None):
                end = End(state, free_energy(graph, state).value, variable_beliefs(graph, state))
                yield _answer(question, [*ends, end], len(ends) + state.converged == starts, known, possible)
            ends.append(end)
        yield _answer(question, ends, True, known, possible)
        if rounds >= question.patience or all(end.state.converged for end in ends):
            return
        rounds *= 2


class End(NamedTuple):
    """Where the messages of one start are.

    Attributes:
        state: the messages.
        value: log of p(evidence) times Z by the Bethe free energy, in nats.
        beliefs: a distribution for each hidden variable.
    """

    state: Messages
    value: float
    beliefs: list[np.ndarray]

    def agrees(self, other: End) -> bool:
        """Whether all probabilities are the same, or nearly so."""
        pairs = zip(self.beliefs, other.beliefs, strict=True)
        return all(float(np.abs(one - another).max()) <= SAME for one, another in pairs)


def _answer(
    question: Question, ends: Sequence[End], finished: bool, known: float | None, possible: bool
) -> Approximation:
    """The best of several ends.

    Args:
        finished: whether every start has ended.
        known: the exact log of p(evidence) times Z, where there are no loops.
        possible: whether the evidence is known to be possible.
    """
    best = max(ends, key=lambda end: (end.state.converged, end.value))
    wandering = [end for end in ends if not end.state.converged]
    apart = sum(not end.agrees(best) for end in ends)
    # Weights that differ by more than exp(10^6) are too much for messages.
    exact = known is not None and best.state.converged and abs(best.value - known) <= ROUNDING * max(1.0, abs(known))
    doubt = ""
    if not finished or wandering:
        doubt = (wandering or [best])[0].state.unrest
    elif apart:
        doubt = f"{apart} of {len(ends)} starts converged to other probabilities"
    elif known is not None and not exact:
        doubt = "the messages do not give the exact probability of the evidence"
    elif not possible:
        doubt = "tables with zeros form loops, and it is not known whether the evidence is possible"
    log_weight = LogEvidence("unknown", best.value)
    if exact and known is not None:
        log_weight = LogEvidence("known", known, ROUNDING)
    rounds = sum(end.state.rounds for end in ends)
    return Approximation(
        NAME,
        question.network,
        question.marginals(best.beliefs),
        question.errors([np.zeros(size) for size in question.sizes] if exact else None),
        log_weight,
        doubt,
        f"rounds: {rounds:,}; "
        + ("no loops, so the answer is exact" if exact else f"starts: {len(ends)}; error unknown"),
    )
