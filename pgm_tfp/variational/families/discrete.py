"""Families over discrete variables: a table for each variable, which differ in the parents of the tables."""

from collections.abc import Callable
from typing import NamedTuple

from common.errors import UserError, nearest
from pgm_tfp.variational.coordinate_ascent import fit_by_coordinate_ascent
from pgm_tfp.variational.enumeration import fit_by_enumeration
from pgm_tfp.variational.factors import MOST_STATES
from pgm_tfp.variational.family import Settings
from pgm_tfp.variational.fits import Fit
from pgm_tfp.variational.sampled_gradients import fit_by_score_function, fit_by_vimco
from pgm_tfp.variational.tables import Structure, TableAlgorithm
from pgm_tfp.variational.targets import Target

ALGORITHMS: dict[str, TableAlgorithm] = {
    "enumerated": fit_by_enumeration,
    "coordinate_ascent": fit_by_coordinate_ascent,
    "score_function": fit_by_score_function,
    "vimco": fit_by_vimco,
}


class TableFamily(NamedTuple):
    """A family whose members are products of tables.

    Attributes:
        name: the name by which `fit` finds the family.
        structure: the parents of each table, for a target.
    """

    name: str
    structure: Callable[[Target], Structure]

    def refusal(self, target: Target) -> str | None:
        """The family cannot describe a hidden continuous variable."""
        return f"is for discrete variables, and {target.continuous[0]} is continuous" if target.continuous else None

    def fit(self, target: Target, settings: Settings) -> Fit:
        """The tables with the highest ELBO, by the algorithm of that name.

        The default is "enumerated" up to 65,536 joint states, and "score_function" above.
        """
        default = "enumerated" if target.states <= MOST_STATES else "score_function"
        algorithm = settings.algorithm or default
        if algorithm not in ALGORITHMS:
            raise UserError(f"unknown algorithm {algorithm}; {nearest(algorithm, ALGORITHMS)}")
        return ALGORITHMS[algorithm](target, self.structure(target), settings, self.name)
