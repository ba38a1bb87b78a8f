"""Tables from complete data: a Dirichlet distribution for each row, exactly.

Before anything is seen, each row theta of each table has the density

    Dirichlet(theta; a) = 1 / B(a) prod_k theta_k^(a_k - 1),    B(a) = prod_k Gamma(a_k) / Gamma(sum_k a_k),

rows independent of each other. Where its parents stood as the row says, the variable was seen n_k times in state k, so
the likelihood is prod_k theta_k^n_k. The posterior is Dirichlet(a + n), again independent from row to row, and the
probability of all that was seen, in the order in which it was seen, is the product of B(a + n) / B(a) over rows
(Heckerman 1995, MSR-TR-95-06, section 3; Koller & Friedman 2009, sections 17.3 and 17.4).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import digamma, gammaln
from scipy.stats import beta

from common.errors import UserError
from pgm_tfp.learning.observations import Observations, complete_codes
from pgm_tfp.learning.tables import Tables, normalized, shapes, with_tables
from pgm_tfp.networks import BayesianNetwork


class Intervals(NamedTuple):
    """Where the entries of a table lie, each (states of each parent..., states)."""

    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, eq=False)
class DirichletPosterior:
    """What complete data say of a network's tables.

    Attributes:
        network: as given; of it the graph and the states count.
        concentrations: by variable a + n, (states of each parent..., states).
        log_marginal_likelihood: log p(observations), the tables integrated out, in nats.
    """

    network: BayesianNetwork
    concentrations: Tables
    log_marginal_likelihood: float

    def mean_network(self) -> BayesianNetwork:
        """The network with the mean tables, E[theta_k] = c_k / sum_j c_j.

        Its probability of a complete row is the posterior predictive one: rows of different tables are independent,
        and the expectation of their product is the product of their expectations.
        """
        return with_tables(self.network, {name: normalized(c) for name, c in self.concentrations.items()})

    def credible_intervals(self, mass: float = 0.95) -> dict[str, Intervals]:
        """For each entry of each table the central interval that has this much of its posterior, by variable.

        One entry of a Dirichlet row, the others integrated out, has the distribution Beta(c_k, sum_j c_j - c_k).
        """
        if not 0.0 < mass < 1.0:
            raise UserError(f"the mass of a credible interval must lie between 0 and 1, given {mass}")
        tail = 0.5 * (1.0 - mass)
        intervals = {}
        for variable, c in self.concentrations.items():
            if c.shape[-1] == 1:  # the only state has probability one
                intervals[variable] = Intervals(np.ones_like(c), np.ones_like(c))
            else:
                entry = beta(c, c.sum(-1, keepdims=True) - c)
                intervals[variable] = Intervals(entry.ppf(tail), entry.isf(tail))
        return intervals


def count(network: BayesianNetwork, observations: Observations) -> Tables:
    """How often each variable was seen in each state beside each states of its parents.

    Returns:
        By variable, (states of each parent..., states), float64.

    Raises:
        UserError: a name or a state is unknown, columns differ in length, or a cell is missing.
    """
    codes, counts = complete_codes(network, observations), {}
    for variable, shape in shapes(network).items():
        family = (*network.table(variable).parents, variable)
        cells = np.ravel_multi_index([codes[member] for member in family], shape)
        counts[variable] = np.bincount(cells, minlength=int(np.prod(shape))).reshape(shape).astype(np.float64)
    return counts


def fit_dirichlet(
    network: BayesianNetwork, observations: Observations, prior_counts: float = 1.0
) -> DirichletPosterior:
    """The posterior of all tables, given a table of observations without gaps.

    Args:
        network: its graph and states; its probabilities are not used.
        observations: by variable a column of states.
        prior_counts: a_k of every state of every row: how many times each is taken to have been seen beforehand. One
            is the flat density.

    Raises:
        UserError: as `count`, or the prior counts are not above zero.
    """
    prior = prior_concentrations(network, prior_counts)
    concentrations = {variable: prior[variable] + n for variable, n in count(network, observations).items()}
    return DirichletPosterior(
        network, concentrations, sum(_log_beta(c) - _log_beta(prior[name]) for name, c in concentrations.items())
    )


def prior_concentrations(network: BayesianNetwork, prior_counts: float) -> Tables:
    """The prior's a for every entry; UserError unless it is above zero."""
    if not 0.0 < prior_counts < np.inf:
        raise UserError(f"prior_counts must be above zero for a prior that is a density, given {prior_counts}")
    return {variable: np.full(shape, prior_counts) for variable, shape in shapes(network).items()}


def expected_log(concentrations: np.ndarray) -> np.ndarray:
    """E[log theta_k] = digamma(c_k) - digamma(sum_j c_j), shape as given."""
    return digamma(concentrations) - digamma(concentrations.sum(-1, keepdims=True))


def kl(posterior: np.ndarray, prior: np.ndarray) -> float:
    """KL(Dirichlet(posterior) || Dirichlet(prior)), summed over rows, in nats."""
    # log B(prior) - log B(posterior) + sum_k (c_k - a_k) E[log theta_k]
    return _log_beta(prior) - _log_beta(posterior) + float(((posterior - prior) * expected_log(posterior)).sum())


def _log_beta(concentrations: np.ndarray) -> float:
    """log B of every row, summed."""
    return float(gammaln(concentrations).sum() - gammaln(concentrations.sum(-1)).sum())
