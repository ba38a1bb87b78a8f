"""Coordinate ascent: each table of a surrogate is set to its optimum in turn, with the others held fixed.

With q = q_i(x_i | pa_i) q_rest, the ELBO is highest in the table of x_i where

    log q_i(x_i | pa_i) = E_q_rest[log p(x, e) - log q_rest(x) | x_i, pa_i] + constant

(Jordan et al. 1999 for mean field; Saul & Jordan 1996 with parents). The gradient in a logit vanishes where its
probability is nearly zero. This update does not vanish there, so it leaves bad starts.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import log_softmax

from pgm_tfp.maximisation import Maximum, packed
from pgm_tfp.variational.family import Settings
from pgm_tfp.variational.fits import Fit
from pgm_tfp.variational.given import flat_index
from pgm_tfp.variational.tables import Structure, best_of_starts, check_enumerable
from pgm_tfp.variational.targets import Target

MOST_SWEEPS = 100  # over all tables
LEAST_GAIN = 1e-3  # nats; sweeps end when one gains less, and L-BFGS goes on from there
MOST_SWEEPS_ALONE = 10_000  # where L-BFGS does not follow
LEAST_GAIN_ALONE = 1e-9  # nats


def fit_by_coordinate_ascent(target: Target, structure: Structure, settings: Settings, family: str) -> Fit:
    """Sweeps from several random starts, until a sweep gains less than 1e-9 nats.

    Raises:
        UserError: the joint states are too many to sum over.
    """
    check_enumerable(target)

    def ascend(start: list[np.ndarray]) -> Maximum:
        logits, trace = sweeps(target, structure, start, LEAST_GAIN_ALONE, MOST_SWEEPS_ALONE)
        return Maximum(packed(logits), trace[-1], np.array(trace), bool(trace[-1] - trace[-2] < LEAST_GAIN_ALONE))

    return best_of_starts(target, structure, settings, family, "coordinate_ascent", ascend)


def sweeps(
    target: Target,
    structure: Structure,
    logits: Sequence[np.ndarray],
    least_gain: float = LEAST_GAIN,
    most_sweeps: int = MOST_SWEEPS,
) -> tuple[list[np.ndarray], list[float]]:
    """Sweeps over all tables until one gains less than `least_gain` nats.

    Returns:
        The tables of logits, and the ELBO before the first sweep and after each.
    """
    grid, log_weights = target.grid(), target.log_weights
    tables = list(logits)
    cells = [
        flat_index([grid[name] for name in (*given, variable)], table.shape)
        for (variable, given), table in zip(structure.parents.items(), tables, strict=True)
    ]
    log_factors = [log_softmax(table, -1).ravel()[cell] for table, cell in zip(tables, cells, strict=True)]
    log_surrogate = np.sum(log_factors, 0)
    trace = [float(np.exp(log_surrogate) @ (log_weights - log_surrogate))]
    for _ in range(most_sweeps):
        for number, (table, cell) in enumerate(zip(tables, cells, strict=True)):
            log_rest = log_surrogate - log_factors[number]
            weights = np.exp(log_rest - log_rest.max())
            mass = np.bincount(cell, weights, table.size)
            expected = np.bincount(cell, weights * (log_weights - log_rest), table.size)
            # Where the parents' states have no mass, the table does not matter and stays as it is.
            tables[number] = np.divide(expected, mass, out=table.ravel().copy(), where=mass > 0).reshape(table.shape)
            log_factors[number] = log_softmax(tables[number], -1).ravel()[cell]
            log_surrogate = log_rest + log_factors[number]
        trace.append(float(np.exp(log_surrogate) @ (log_weights - log_surrogate)))
        if trace[-1] - trace[-2] < least_gain:
            break
    return tables, trace
