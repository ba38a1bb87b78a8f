"""Loopy belief propagation: messages between potentials and variables until they converge.

Without loops the answer is exact. With loops, its error is unknown: the messages may converge to wrong probabilities,
and log p(evidence) by the Bethe free energy is no bound (Koller & Friedman 2009, section 11.3).
"""

from collections.abc import Iterator
from math import nan

import numpy as np

from common.errors import UserError
from pgm_tfp.approximate.approximation import LOG_ZERO, Approximation, Question
from pgm_tfp.approximate.propagation import factor_graph, free_energy, propagate, variable_beliefs
from pgm_tfp.results import LogEvidence

NAME = "loopy"
EVERY = 100  # rounds between two answers
ROUNDING = 1e-6  # nats; the error of log p(evidence) of converged messages without loops


def loopy(question: Question) -> Iterator[Approximation]:
    """Probabilities by loopy belief propagation; exact where the potentials form no loop.

    Raises:
        UserError: the messages show that the evidence is impossible.
    """
    graph = factor_graph(question.potentials, question.hidden)
    for state in propagate(graph, EVERY, question.patience):
        energy = free_energy(graph, state)
        exact = graph.forest and state.converged
        if energy.value < LOG_ZERO / 2 and (exact or graph.log_scale < LOG_ZERO / 2):
            raise UserError("loopy: the evidence is impossible; leave a finding out")
        if exact:
            log_weight = LogEvidence("known", energy.value, ROUNDING)
        else:
            log_weight = LogEvidence("unknown", energy.value, nan)
        yield Approximation(
            NAME,
            question.marginals(variable_beliefs(graph, state)),
            question.errors([np.zeros(size) for size in question.sizes] if exact else None),
            log_weight,
            question.log_evidence(log_weight),
            "" if state.converged else state.unrest,
            f"{state.rounds:,} rounds, "
            + ("no loops, so the answer is exact" if graph.forest else "with loops, so the error is unknown"),
        )
