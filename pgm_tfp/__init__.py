"""Graphical models: networks, independence with reasons, exact inference."""

from pgm_tfp import catalogue, exact, independence, markov
from pgm_tfp.conditionals import Conditional, Table
from pgm_tfp.markov import MarkovNetwork
from pgm_tfp.networks import BayesianNetwork
from pgm_tfp.potentials import Potential

__all__ = [
    "BayesianNetwork",
    "Conditional",
    "MarkovNetwork",
    "Potential",
    "Table",
    "catalogue",
    "exact",
    "independence",
    "markov",
]
