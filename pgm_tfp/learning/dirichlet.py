"""Tables from complete data: the exact posterior, a Dirichlet distribution for each row of each table.

Before anything is seen, each row theta of each table has the density

    Dirichlet(theta; a) = 1 / B(a) prod_k theta_k^(a_k - 1),    B(a) = prod_k Gamma(a_k) / Gamma(sum_k a_k),

and rows are independent of each other. Suppose the variable was seen n_k times in state k while its parents were in the
states of this row. Then the likelihood is prod_k theta_k^n_k. The posterior is Dirichlet(a + n), and rows are again
independent. The probability of all observations, in their order, is the product of B(a + n) / B(a) over rows
(Heckerman 1995, MSR-TR-95-06, section 3; Koller & Friedman 2009, sections 17.3 and 17.4).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import digamma, gammaln
from scipy.stats import beta

from common.errors import UserError
from pgm_tfp.exact.rows import MISSING, Observations, codes_of_columns
from pgm_tfp.learning.family_arrays import FamilyArrays, family_shapes, normalized, with_probabilities
from pgm_tfp.networks import BayesianNetwork


class Intervals(NamedTuple):
    """An interval for each entry of a table: its ends, each (states of each parent..., states)."""

    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, eq=False)
class DirichletPosterior:
    """The posterior of a network's tables given complete data.

    Attributes:
        network: as given; only its graph and its states matter.
        concentrations: a + n by variable, (states of each parent..., states).
        log_evidence: log p(observations), the tables integrated out, in nats; also called log marginal likelihood.
    """

    network: BayesianNetwork
    concentrations: FamilyArrays
    log_evidence: float

    def mean_network(self) -> BayesianNetwork:
        """The network with the mean tables, E[theta_k] = c_k / sum_j c_j.

        Its probability of a complete row is the posterior predictive probability. Rows of different tables are
        independent, so the expectation of their product is the product of their expectations.
        """
        return mean_network(self.network, self.concentrations)

    def credible_intervals(self, mass: float = 0.95) -> dict[str, Intervals]:
        """By variable, for each entry of its table the central interval that holds this much of the entry's posterior.

        One entry of a Dirichlet row, the others integrated out, has the distribution Beta(c_k, sum_j c_j - c_k).

        Raises:
            UserError: the mass does not lie between 0 and 1.
        """
        return credible_intervals(self.concentrations, mass)


def mean_network(network: BayesianNetwork, concentrations: FamilyArrays) -> BayesianNetwork:
    """The network with the means of these Dirichlet distributions as tables."""
    return with_probabilities(network, {variable: normalized(c) for variable, c in concentrations.items()})


def credible_intervals(concentrations: FamilyArrays, mass: float) -> dict[str, Intervals]:
    """The central intervals of these Dirichlet distributions' entries; see `DirichletPosterior.credible_intervals`."""
    if not 0.0 < mass < 1.0:
        raise UserError(f"the mass of a credible interval must lie between 0 and 1, given {mass}")
    tail = 0.5 * (1.0 - mass)
    intervals = {}
    for variable, c in concentrations.items():
        if c.shape[-1] == 1:  # the only state has probability one
            intervals[variable] = Intervals(np.ones_like(c), np.ones_like(c))
        else:
            entry = beta(c, c.sum(-1, keepdims=True) - c)
            intervals[variable] = Intervals(entry.ppf(tail), entry.isf(tail))
    return intervals


def count(network: BayesianNetwork, observations: Observations) -> FamilyArrays:
    """How often each variable was seen in each state, for each joint state of its parents.

    Returns:
        By variable, (states of each parent..., states), float64.

    Raises:
        UserError: a name or a state is unknown, columns differ in length, or a cell is missing.
    """
    codes, counts = _complete_codes(network, observations), {}
    for variable, shape in family_shapes(network).items():
        family = (*network.table(variable).parents, variable)
        cells = np.ravel_multi_index([codes[member] for member in family], shape)
        counts[variable] = np.bincount(cells, minlength=int(np.prod(shape))).reshape(shape).astype(np.float64)
    return counts


def fit_dirichlet(
    network: BayesianNetwork, observations: Observations, prior_counts: float = 1.0
) -> DirichletPosterior:
    """The posterior of all tables, given observations without gaps.

    Args:
        network: its graph and states; its probabilities are not used.
        observations: by variable a column of states.
        prior_counts: a_k of every state of every row: how many times each state is taken to have been seen before. The
            value 1 gives the flat density.

    Raises:
        UserError: as `count`, or the prior counts are not above zero.
    """
    prior = prior_concentrations(network, prior_counts)
    concentrations = {variable: prior[variable] + n for variable, n in count(network, observations).items()}
    return DirichletPosterior(
        network, concentrations, sum(_log_beta(c) - _log_beta(prior[name]) for name, c in concentrations.items())
    )


def prior_concentrations(network: BayesianNetwork, prior_counts: float) -> FamilyArrays:
    """The prior's concentration a for every entry of every table.

    Raises:
        UserError: the prior counts are not above zero.
    """
    if not 0.0 < prior_counts < np.inf:
        raise UserError(f"prior_counts must be above zero for a prior that is a density, given {prior_counts}")
    return {variable: np.full(shape, prior_counts) for variable, shape in family_shapes(network).items()}


def expected_log(concentrations: np.ndarray) -> np.ndarray:
    """E[log theta_k] = digamma(c_k) - digamma(sum_j c_j), in the shape of the concentrations."""
    return digamma(concentrations) - digamma(concentrations.sum(-1, keepdims=True))


def kl(posterior: np.ndarray, prior: np.ndarray) -> float:
    """KL(Dirichlet(posterior) || Dirichlet(prior)), summed over rows, in nats."""
    # log B(prior) - log B(posterior) + sum_k (c_k - a_k) E[log theta_k]
    return _log_beta(prior) - _log_beta(posterior) + float(((posterior - prior) * expected_log(posterior)).sum())


def _complete_codes(network: BayesianNetwork, observations: Observations) -> dict[str, np.ndarray]:
    """The indices of all states, (rows,) for each variable of the network; UserError where a cell is missing."""
    codes = codes_of_columns(network, observations)
    for variable in network.conditionals:
        if variable not in codes:
            raise UserError(f"{variable} has no column; counting needs all variables, fit_em does not")
        if (missing := codes[variable] == MISSING).any():
            raise UserError(
                f"row {int(missing.argmax())}: {variable} was not seen; counting needs every cell, fit_em does not"
            )
    return codes


def _log_beta(concentrations: np.ndarray) -> float:
    """The sum of log B over all rows."""
    return float(gammaln(concentrations).sum() - gammaln(concentrations.sum(-1)).sum())
