"""Maximises the ELBO of a discrete surrogate as the sum over all joint states: coordinate ascent, then L-BFGS."""

import numpy as np

from pgm_tfp.maximisation import Maximum, compiled, maximise, packed
from pgm_tfp.variational.coordinate_ascent import sweeps
from pgm_tfp.variational.family import Settings
from pgm_tfp.variational.fits import Fit
from pgm_tfp.variational.tables import Structure, best_of_starts, check_enumerable, enumerated_elbo
from pgm_tfp.variational.targets import Target


def fit_by_enumeration(target: Target, structure: Structure, settings: Settings, family: str) -> Fit:
    """A few sweeps of coordinate ascent from each random start, then L-BFGS to the maximum.

    Raises:
        UserError: the joint states are too many to sum over.
    """
    check_enumerable(target)
    objective = compiled(lambda logits: enumerated_elbo(target, structure, logits), structure.shapes())

    def ascend(start: list[np.ndarray]) -> Maximum:
        logits, trace = sweeps(target, structure, start)
        maximum = maximise(objective, packed(logits))
        return maximum._replace(trace=np.concatenate([trace, maximum.trace[1:]]))

    return best_of_starts(target, structure, settings, family, "enumerated", ascend)
