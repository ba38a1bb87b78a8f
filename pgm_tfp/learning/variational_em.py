"""Tables from rows with gaps, with their uncertainty: variational Bayesian EM (MacKay 1997; Beal 2003, chapter 3).

The posterior over tables and gaps is approximated by a product, Dirichlet(c) over each row theta of each table, times a
distribution over what was not seen. Its two factors are improved in turn:

    E  with exp(E[log theta]) in place of the tables, whose product sums to Z for a row, the expected counts N
    M  c = a + N

and each iteration raises a bound on the log marginal likelihood, or leaves it:

    sum over rows of log Z - KL(Dirichlet(c) || Dirichlet(a)) <= log p(all that was seen).

Without gaps the approximation is exact and so is the bound. With a variable that is never seen it describes one of the
equivalent ways to name its states, and lies lower by the logarithm of their number at least, if they are well apart.
"""

from typing import NamedTuple

import numpy as np

from common.errors import UserError
from pgm_tfp.learning.climbing import Algorithm, best_climb, check_settings
from pgm_tfp.learning.dirichlet import expected_log, kl, prior_concentrations
from pgm_tfp.learning.families import compiled_families, expected_counts
from pgm_tfp.learning.observations import Observations
from pgm_tfp.learning.tables import Tables, normalized, random_tables, with_tables
from pgm_tfp.networks import BayesianNetwork

FEWEST_PRIOR_COUNTS = 0.01  # exp(digamma(a)) is about exp(-1 / a), and leaves float64's range at 1 / 700


class VariationalEmFit(NamedTuple):
    """What variational EM has found.

    Attributes:
        network: with the mean tables of the best start's last Dirichlet distributions.
        concentrations: of these, by variable, (states of each parent..., states).
        trace: the bound from the best start, before the first iteration and after each, in nats.
        bound: the last of these: at most the log marginal likelihood of all that was seen.
        iterations: that the best start took.
        converged: whether it converged.
        restarts: the last bound from each start, (restarts,), in nats.
    """

    network: BayesianNetwork
    concentrations: Tables
    trace: np.ndarray
    bound: float
    iterations: int
    converged: bool
    restarts: np.ndarray


def fit_variational_em(
    network: BayesianNetwork,
    observations: Observations,
    prior_counts: float = 1.0,
    seed: int = 0,
    restarts: int = 5,
    tolerance: float = 1e-8,
    most_iterations: int = 1000,
) -> VariationalEmFit:
    """Dirichlet distributions over the tables, from rows with gaps.

    Args:
        network: its graph and states; its probabilities are not used.
        observations: by variable a column of states, None where it was not seen; a variable without a column never was.
        prior_counts: a, as for `fit_dirichlet`; 0.01 or more.
        seed: of the random tables that each start explains the rows with at first.
        restarts: the number of starts.
        tolerance: stop when an iteration raises the bound by no more than this share of it.
        most_iterations: stop then in any case; the log has a warning.

    Raises:
        UserError: as `fit_em`.
    """
    check_settings(restarts, tolerance, most_iterations)
    if prior_counts < FEWEST_PRIOR_COUNTS:
        raise UserError(f"prior_counts must be {FEWEST_PRIOR_COUNTS} or more here, given {prior_counts}")
    families = compiled_families(network, observations)
    prior = prior_concentrations(network, prior_counts)

    def concentrations_of(counts: Tables) -> Tables:
        return {variable: prior[variable] + n for variable, n in counts.items()}

    def minus_divergence(concentrations: Tables) -> float:
        return -sum(kl(c, prior[variable]) for variable, c in concentrations.items())

    def start(random: np.random.Generator) -> Tables:
        return concentrations_of(expected_counts(families, random_tables(network, random)).counts)

    best, heights = best_climb(
        Algorithm(
            lambda concentrations: expected_counts(
                families, {variable: np.exp(expected_log(c)) for variable, c in concentrations.items()}
            ),
            concentrations_of,
            minus_divergence,
        ),
        (start(np.random.default_rng([seed, number])) for number in range(restarts)),
        tolerance,
        most_iterations,
    )
    return VariationalEmFit(
        network=with_tables(network, {variable: normalized(c) for variable, c in best.parameters.items()}),
        concentrations=best.parameters,
        trace=best.trace,
        bound=float(best.trace[-1]),
        iterations=len(best.trace) - 1,
        converged=best.converged,
        restarts=heights,
    )
