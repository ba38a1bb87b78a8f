"""Tables from rows with gaps, with their uncertainty: variational Bayesian EM (MacKay 1997; Beal 2003, chapter 3).

The posterior over tables and missing cells is approximated by a product of two factors: Dirichlet(c) over each row
theta of each table, and a distribution over the missing cells. The factors are improved in turn:

    E  expected counts N, with exp(E[log theta]) in place of the tables; the product of these sums to Z for each row
    M  c = a + N

No iteration lowers the ELBO, a lower bound on the log evidence:

    sum over rows of log Z - KL(Dirichlet(c) || Dirichlet(a)) <= log p(all findings).

Without gaps the approximation and the bound are exact. If a variable is never seen, the approximation describes only
one of the equivalent ways to name the variable's states. If these ways are well apart, the bound is then lower by at
least the logarithm of their number.
"""

from typing import NamedTuple

import numpy as np

from common.errors import UserError
from pgm_tfp.exact.rows import Observations
from pgm_tfp.learning.dirichlet import (
    Intervals,
    credible_intervals,
    expected_log,
    kl,
    mean_network,
    prior_concentrations,
)
from pgm_tfp.learning.families import compiled_families, expected_counts
from pgm_tfp.learning.family_arrays import FamilyArrays, random_probabilities
from pgm_tfp.learning.iteration import Algorithm, best_of_starts, check_settings
from pgm_tfp.networks import BayesianNetwork

FEWEST_PRIOR_COUNTS = 0.01  # exp(digamma(a)) is about exp(-1 / a), which leaves float64's range at a = 1 / 700


class VariationalEmFit(NamedTuple):
    """The result of variational EM.

    Attributes:
        network: with the mean tables of the Dirichlet distributions below.
        concentrations: of the last Dirichlet distributions from the best start, by variable (states of each parent...,
            states).
        trace: the ELBO from the best start, before the first iteration and after each, in nats.
        elbo: the last of these: at most log p(all findings), the log evidence.
        iterations: the number of iterations from the best start.
        converged: whether the iteration from the best start converged.
        restarts: the last ELBO from each start, (restarts,), in nats.
    """

    network: BayesianNetwork
    concentrations: FamilyArrays
    trace: np.ndarray
    elbo: float
    iterations: int
    converged: bool
    restarts: np.ndarray

    def credible_intervals(self, mass: float = 0.95) -> dict[str, Intervals]:
        """For each entry of each table its central interval, as `DirichletPosterior.credible_intervals` gives it."""
        return credible_intervals(self.concentrations, mass)


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
        observations: by variable a column of states, None where it was not seen; a variable without a column was never
            seen.
        prior_counts: a, as for `fit_dirichlet`; 0.01 or more.
        seed: of the random tables with which each start explains the rows at first.
        restarts: the number of starts.
        tolerance: stop when an iteration raises the ELBO by no more than this share of the ELBO.
        most_iterations: stop after this many iterations in any case; a warning is logged then.

    Raises:
        UserError: as `fit_em`.
    """
    check_settings(restarts, tolerance, most_iterations)
    if prior_counts < FEWEST_PRIOR_COUNTS:
        raise UserError(f"prior_counts must be {FEWEST_PRIOR_COUNTS} or more here, given {prior_counts}")
    families = compiled_families(network, observations)
    prior = prior_concentrations(network, prior_counts)

    def concentrations_of(counts: FamilyArrays) -> FamilyArrays:
        return {variable: prior[variable] + n for variable, n in counts.items()}

    def minus_divergence(concentrations: FamilyArrays) -> float:
        return -sum(kl(c, prior[variable]) for variable, c in concentrations.items())

    def start(random: np.random.Generator) -> FamilyArrays:
        return concentrations_of(expected_counts(families, random_probabilities(network, random)).counts)

    best, elbos = best_of_starts(
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
        network=mean_network(network, best.parameters),
        concentrations=best.parameters,
        trace=best.trace,
        elbo=float(best.trace[-1]),
        iterations=len(best.trace) - 1,
        converged=best.converged,
        restarts=elbos,
    )
