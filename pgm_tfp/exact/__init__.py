"""Exact inference: what evidence makes of the probabilities of everything else."""

from pgm_tfp.exact.evidence import Evidence, Network, check_variables
from pgm_tfp.exact.information import conditional_mutual_information
from pgm_tfp.exact.many import ImpossibleRowError, Posteriors, marginals, posteriors
from pgm_tfp.exact.queries import joint_marginal, log_evidence, marginal, marginal_map, most_probable

__all__ = [
    "Evidence",
    "ImpossibleRowError",
    "Network",
    "Posteriors",
    "check_variables",
    "conditional_mutual_information",
    "joint_marginal",
    "log_evidence",
    "marginal",
    "marginal_map",
    "marginals",
    "most_probable",
    "posteriors",
]
