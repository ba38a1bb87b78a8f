"""Loopy belief propagation: messages between potentials and variables until they converge.

Without loops the answer is exact. With loops, its error is unknown: the messages may converge to wrong probabilities,
and log p(evidence) by the Bethe free energy is no bound (Koller & Friedman 2009, section 11.3).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from common.errors import UserError
from pgm_tfp.approximate.approximation import LOG_ZERO, Approximation, Question
from pgm_tfp.approximate.propagation import FactorGraph, State, factor_graph, free_energy, propagate, variable_beliefs
from pgm_tfp.results import LogEvidence

NAME = "loopy"
EVERY = 100  # rounds between two answers
STARTS = 4  # of uniform messages, and of random ones
SAME = 1e-3  # the largest difference of a probability at which two starts have converged to the same answer
ROUNDING = 1e-6  # nats; the error of log p(evidence) of converged messages without loops


def loopy(question: Question) -> Iterator[Approximation]:
    """Probabilities by loopy belief propagation; exact where the potentials form no loop.

    With loops there are several starts. The answer has the highest log p(evidence) of them, by the Bethe free energy,
    and it is not reliable if another start ends at other probabilities.

    Raises:
        UserError: the messages show that the evidence is impossible.
    """
    graph = factor_graph(question.potentials, question.hidden)
    random = np.random.default_rng(question.seed)
    ends = list[End]()
    for start in range(1 if graph.forest else STARTS):
        for state in propagate(graph, EVERY, question.patience, random if start else None):
            end = End(state, free_energy(graph, state).value, variable_beliefs(graph, state))
            exact = graph.forest and state.converged
            if end.value < LOG_ZERO / 2 and (exact or graph.log_scale < LOG_ZERO / 2):
                raise UserError("loopy: the evidence is impossible; leave a finding out")
            yield _answer(question, graph, [*ends, end])
        ends.append(end)


class End(NamedTuple):
    """Where the messages of one start are.

    Attributes:
        state: the messages.
        value: log of p(evidence) times Z by the Bethe free energy, in nats.
        beliefs: a distribution for each hidden variable.
    """

    state: State
    value: float
    beliefs: list[np.ndarray]

    def agrees(self, other: End) -> bool:
        """Whether all probabilities are the same, or nearly so."""
        pairs = zip(self.beliefs, other.beliefs, strict=True)
        return all(float(np.abs(one - another).max()) <= SAME for one, another in pairs)


def _answer(question: Question, graph: FactorGraph, ends: list[End]) -> Approximation:
    best = max(ends, key=lambda end: (end.state.converged, end.value))
    apart = sum(not end.agrees(best) for end in ends if end.state.converged)
    rounds = sum(end.state.rounds for end in ends)
    exact = graph.forest and best.state.converged
    doubt = ""
    if not best.state.converged:
        doubt = best.state.unrest
    elif apart:
        doubt = f"{apart} of {len(ends)} starts converged to other probabilities"
    elif not graph.forest and len(ends) < STARTS:
        doubt = "one start alone does not show whether another would end at other probabilities"
    log_weight = LogEvidence("unknown", best.value)
    if exact:
        log_weight = LogEvidence("known", best.value, ROUNDING)
    return Approximation(
        NAME,
        question.network,
        question.marginals(best.beliefs),
        question.errors([np.zeros(size) for size in question.sizes] if exact else None),
        log_weight,
        doubt,
        f"{rounds:,} rounds, "
        + ("no loops, so the answer is exact" if graph.forest else f"{len(ends)} starts; the error is unknown"),
    )
