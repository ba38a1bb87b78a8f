"""Variational inference whose error is known, with quadrature and NUTS to measure it against."""

from pgm_tfp.results import LogEvidence, Result, WeightedPoints
from pgm_tfp.variational.conditioning import target
from pgm_tfp.variational.family import Family, Settings
from pgm_tfp.variational.fits import Fit
from pgm_tfp.variational.fitting import fit, fit_target
from pgm_tfp.variational.integration import Quadrature, quadrature
from pgm_tfp.variational.no_u_turn import Chains, nuts
from pgm_tfp.variational.pareto import pareto_k
from pgm_tfp.variational.registry import FAMILIES, register
from pgm_tfp.variational.reparameterised import ReparameterisedFamily
from pgm_tfp.variational.targets import Target

__all__ = [
    "FAMILIES",
    "Chains",
    "Family",
    "Fit",
    "LogEvidence",
    "Quadrature",
    "ReparameterisedFamily",
    "Result",
    "Settings",
    "Target",
    "WeightedPoints",
    "fit",
    "fit_target",
    "nuts",
    "pareto_k",
    "quadrature",
    "register",
    "target",
]
