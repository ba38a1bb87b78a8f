"""Learning the tables of a network whose graph is known, from observations with or without gaps."""

from pgm_tfp.exact.rows import Observations
from pgm_tfp.learning.dirichlet import DirichletPosterior, Intervals, count, fit_dirichlet
from pgm_tfp.learning.em import EmFit, fit_em
from pgm_tfp.learning.held_out import predictive_log_likelihood
from pgm_tfp.learning.identifiability import unidentified
from pgm_tfp.learning.missing_cells import blanked
from pgm_tfp.learning.variational_dirichlet import VariationalDirichlet, fit_variational_dirichlet
from pgm_tfp.learning.variational_em import VariationalEmFit, fit_variational_em

__all__ = [
    "DirichletPosterior",
    "EmFit",
    "Intervals",
    "Observations",
    "VariationalDirichlet",
    "VariationalEmFit",
    "blanked",
    "count",
    "fit_dirichlet",
    "fit_em",
    "fit_variational_dirichlet",
    "fit_variational_em",
    "predictive_log_likelihood",
    "unidentified",
]
