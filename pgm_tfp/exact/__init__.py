"""Exact inference: probabilities given evidence, log evidence, most probable states, and the cost of an answer."""

from pgm_tfp.elimination import Cost
from pgm_tfp.exact.batched import ImpossibleRowError, Posteriors, marginals, posteriors
from pgm_tfp.exact.evidence import Evidence, Network, check_variables
from pgm_tfp.exact.information import conditional_mutual_information
from pgm_tfp.exact.junction_tree import cost
from pgm_tfp.exact.queries import joint_marginal, log_evidence, marginal, marginal_map, most_probable
from pgm_tfp.memory import TooLargeError, set_memory_limit

__all__ = [
    "Cost",
    "Evidence",
    "ImpossibleRowError",
    "Network",
    "Posteriors",
    "TooLargeError",
    "check_variables",
    "conditional_mutual_information",
    "cost",
    "joint_marginal",
    "log_evidence",
    "marginal",
    "marginal_map",
    "marginals",
    "most_probable",
    "posteriors",
    "set_memory_limit",
]
