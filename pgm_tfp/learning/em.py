"""Tables from rows with gaps by expectation maximisation, EM (Dempster, Laird & Rubin 1977; Lauritzen 1995).

    E  N(parents, x) = sum over rows of p(parents, x | the row's findings, theta)
    M  theta(x | parents) = (N(parents, x) + a) / sum_x' (N(parents, x') + a)

No iteration lowers the objective

    log p(all findings | theta) + sum a log theta.

The second term, summed over all entries, is the log density of the prior Dirichlet(a), up to a constant, when densities
are measured over the logits of theta. Over theta itself the exponents would be a - 1 (MacKay 1998, "Choice of basis for
Laplace approximation"). So without gaps the M step gives the mean tables of `fit_dirichlet`, and a = 0 gives maximum
likelihood. Whether a cell is missing may depend on what was seen, but not on what was not seen (Rubin 1976).
"""

from typing import NamedTuple

import numpy as np
from scipy.special import xlogy

from common.errors import UserError
from pgm_tfp.exact.rows import Observations
from pgm_tfp.learning.families import compiled_families, expected_counts
from pgm_tfp.learning.family_arrays import FamilyArrays, normalized, random_probabilities, with_probabilities
from pgm_tfp.learning.iteration import Algorithm, best_of_starts, check_settings
from pgm_tfp.networks import BayesianNetwork


class EmFit(NamedTuple):
    """The result of EM.

    Attributes:
        network: with the last tables from the best start.
        trace: the objective from the best start, before the first iteration and after each, in nats.
        log_likelihood: log p(all findings | tables), in nats, summed over rows.
        iterations: the number of iterations from the best start.
        converged: whether the iteration from the best start converged.
        restarts: the last objective from each start, (restarts,), in nats; it shows how many local maxima there are.
    """

    network: BayesianNetwork
    trace: np.ndarray
    log_likelihood: float
    iterations: int
    converged: bool
    restarts: np.ndarray


def fit_em(
    network: BayesianNetwork,
    observations: Observations,
    prior_counts: float = 1.0,
    seed: int = 0,
    restarts: int = 5,
    tolerance: float = 1e-8,
    most_iterations: int = 1000,
) -> EmFit:
    """The most probable tables that EM finds from several random starts.

    Args:
        network: its graph and states; its probabilities are not used.
        observations: by variable a column of states, None where it was not seen; a variable without a column was never
            seen. `unidentified` says what cannot be learnt then.
        prior_counts: a, how many times each state of each row is taken to have been seen before; 0 is maximum
            likelihood, and then a row that no observation reaches becomes uniform.
        seed: of the random starts.
        restarts: the number of starts.
        tolerance: stop when an iteration raises the objective by no more than this share of the objective.
        most_iterations: stop after this many iterations in any case; a warning is logged then.

    Raises:
        UserError: a setting is out of its range, a variable has no table, a name or a state is unknown, or columns
            differ in length or have no rows.
    """
    check_settings(restarts, tolerance, most_iterations)
    if not 0.0 <= prior_counts < np.inf:
        raise UserError(f"prior_counts must be zero or more, given {prior_counts}")
    families = compiled_families(network, observations)

    def most_probable(counts: FamilyArrays) -> FamilyArrays:
        return {variable: normalized(n + prior_counts) for variable, n in counts.items()}

    def log_prior(probabilities: FamilyArrays) -> float:
        return sum(float(xlogy(prior_counts, theta).sum()) for theta in probabilities.values())

    best, objectives = best_of_starts(
        Algorithm(lambda probabilities: expected_counts(families, probabilities), most_probable, log_prior),
        (random_probabilities(network, np.random.default_rng([seed, number])) for number in range(restarts)),
        tolerance,
        most_iterations,
    )
    return EmFit(
        network=with_probabilities(network, best.parameters),
        trace=best.trace,
        log_likelihood=best.expected.log_weight,
        iterations=len(best.trace) - 1,
        converged=best.converged,
        restarts=objectives,
    )
