"""The marginal of one variable from a posterior of the continuous variables as weighted points."""

import numpy as np

from pgm_tfp.results import Marginal, WeightedPoints
from pgm_tfp.variational.targets import Target


def marginal_of(
    target: Target, variable: str, points: np.ndarray, weights: np.ndarray, interface: np.ndarray
) -> Marginal:
    """The marginal of one variable, from a posterior of the continuous variables as weighted points.

    Args:
        points: values of the continuous variables in the model's own space, (points, columns).
        weights: their posterior probabilities, (points,).
        interface: p(x | evidence) for every joint state x of the target's interface, (states,).

    Raises:
        UserError: the variable is not hidden.
    """
    target.check_hidden(variable)
    if variable in target.discrete:
        return target.discrete_marginal(variable, interface)
    columns, shape = target.columns_of(variable)
    return WeightedPoints(points[:, columns].reshape(-1, *shape), weights)
