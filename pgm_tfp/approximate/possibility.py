"""Whether evidence is possible: belief propagation cannot tell where potentials with zeros form loops."""

import numpy as np

from pgm_tfp.approximate.approximation import Question
from pgm_tfp.approximate.gibbs import TooManyStatesError, blocks_of, plan
from pgm_tfp.approximate.likelihood_weighting import weighted_draws
from pgm_tfp.networks import BayesianNetwork

DRAWS = 4_096


def is_possible(question: Question) -> bool | None:
    """Whether a joint state of positive weight agrees with the evidence; None if that is not known.

    Raises:
        UserError: the evidence is impossible.
    """
    planned = plan(question)
    if all(potential.values.all() for potential in planned.potentials):
        return True
    if isinstance(question.network, BayesianNetwork):
        _, log_weights = weighted_draws(question, DRAWS, np.random.default_rng(question.seed))
        if (log_weights > -np.inf).any():
            return True
    try:
        blocks_of(question, planned)
    except TooManyStatesError:
        return None
    return True
