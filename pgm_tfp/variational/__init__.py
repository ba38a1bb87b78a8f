"""Variational inference whose error is known, and what it is measured against."""

from pgm_tfp import backend as backend  # isort: skip  (first: it loads TensorFlow, quietly)
from pgm_tfp.variational.fitting import Fit, fit
from pgm_tfp.variational.nuts import Chains, nuts
from pgm_tfp.variational.pareto import pareto_k
from pgm_tfp.variational.quadrature import Quadrature, quadrature
from pgm_tfp.variational.targets import Target, target

__all__ = ["Chains", "Fit", "Quadrature", "Target", "fit", "nuts", "pareto_k", "quadrature", "target"]
