"""How well a network predicts rows that it was not fitted to."""

from pgm_tfp.exact import posteriors
from pgm_tfp.exact.rows import Observations
from pgm_tfp.networks import BayesianNetwork


def predictive_log_likelihood(network: BayesianNetwork, observations: Observations) -> float:
    """The mean over rows of log p(the row's findings), in nats per row; exact.

    Raises:
        UserError: a name or a state is unknown, columns differ in length, or a row has probability zero. The last can
            happen after `fit_em` without prior counts.
    """
    return float(posteriors(network, observations).log_evidence.mean())
