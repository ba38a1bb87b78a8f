"""Maximises the ELBO of a discrete surrogate as the sum over all joint states: coordinate ascent, then L-BFGS."""

import numpy as np
import tensorflow as tf

from pgm_tfp.maximisation import compiled, maximise, packed, unpacked
from pgm_tfp.variational.coordinate_ascent import sweeps
from pgm_tfp.variational.family import Settings, best_start
from pgm_tfp.variational.tables import Structure, TableOptimum, check_enumerable, enumerated_elbo
from pgm_tfp.variational.targets import Target


def fit_by_enumeration(target: Target, structure: Structure, settings: Settings, family: str) -> TableOptimum:
    """A few sweeps of coordinate ascent from each random start, then L-BFGS to the maximum.

    Raises:
        UserError: the joint states are too many to sum over.
    """
    check_enumerable(target)
    shapes, random = structure.shapes(), np.random.default_rng(settings.seed)
    objective = compiled(lambda logits: enumerated_elbo(target, structure, logits), shapes)
    maxima = []
    for _ in range(settings.starts):
        logits, trace = sweeps(target, structure, structure.random_logits(random))
        maximum = maximise(objective, packed(logits))
        maxima.append(maximum._replace(trace=np.concatenate([trace, maximum.trace[1:]])))
    best, converged = best_start(maxima, family)
    values = [maximum.value for maximum in maxima]
    logits = unpacked(tf.constant(best.parameters), shapes)
    return TableOptimum(logits, best.value, 0.0, best.trace, values, converged)
