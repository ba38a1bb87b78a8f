"""Tables from rows with gaps: expectation maximisation (Dempster, Laird & Rubin 1977; Lauritzen 1995).

    E  N(parents, x) = sum over rows of p(parents, x | what the row shows, theta)
    M  theta(x | parents) = (N(parents, x) + a) / sum_x' (N(parents, x') + a)

Each iteration raises

    log p(all that was seen | theta) + sum a log theta

or leaves it. The second term, summed over all entries, is the log density of the prior Dirichlet(a) but for a constant,
where densities are measured over the logits; over theta itself the exponents would be a - 1 (MacKay 1998, "Choice of
basis for Laplace approximation"). So without gaps M's tables are the mean tables of `fit_dirichlet`, and a = 0 is
maximum likelihood. Whether a cell is missing may depend on what was seen, not on what was not (Rubin 1976).
"""

from typing import NamedTuple

import numpy as np
from scipy.special import xlogy

from common.errors import UserError
from pgm_tfp.learning.climbing import Algorithm, best_climb, check_settings
from pgm_tfp.learning.families import compiled_families, expected_counts
from pgm_tfp.learning.observations import Observations
from pgm_tfp.learning.tables import Tables, normalized, random_tables, with_tables
from pgm_tfp.networks import BayesianNetwork


class EmFit(NamedTuple):
    """What EM has found.

    Attributes:
        network: with the best start's last tables.
        trace: the objective from the best start, before the first iteration and after each, in nats.
        log_likelihood: log p(all that was seen | tables), in nats, summed over rows.
        iterations: that the best start took.
        converged: whether it converged.
        restarts: the last objective from each start, (restarts,), in nats: how many ways it can end.
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
    """The most probable tables, as far as climbing from random ones finds them.

    Args:
        network: its graph and states; its probabilities are not used.
        observations: by variable a column of states, None where it was not seen; a variable without a column never
            was. `unidentified` says what then cannot be learnt.
        prior_counts: a, how many times each state of each row is taken to have been seen beforehand; 0 is maximum
            likelihood, which leaves a row uniform that no observation reaches.
        seed: of the random starts.
        restarts: their number.
        tolerance: stop when an iteration raises the objective by no more than this share of it.
        most_iterations: stop then in any case; the log has a warning.

    Raises:
        UserError: a setting makes no sense, a variable has no table, a name or a state is unknown, or columns differ
            in length or have no rows.
    """
    check_settings(restarts, tolerance, most_iterations)
    if not 0.0 <= prior_counts < np.inf:
        raise UserError(f"prior_counts must be zero or more, given {prior_counts}")
    families = compiled_families(network, observations)

    def tables_of(counts: Tables) -> Tables:
        return {variable: normalized(n + prior_counts) for variable, n in counts.items()}

    def log_prior(tables: Tables) -> float:
        return sum(float(xlogy(prior_counts, theta).sum()) for theta in tables.values())

    best, heights = best_climb(
        Algorithm(lambda tables: expected_counts(families, tables), tables_of, log_prior),
        (random_tables(network, np.random.default_rng([seed, number])) for number in range(restarts)),
        tolerance,
        most_iterations,
    )
    return EmFit(
        network=with_tables(network, best.parameters),
        trace=best.trace,
        log_likelihood=best.expected.log_weight,
        iterations=len(best.trace) - 1,
        converged=best.converged,
        restarts=heights,
    )
