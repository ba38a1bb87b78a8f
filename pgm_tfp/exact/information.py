"""Conditional mutual information in nats: a measure of dependence that is zero for independent variables."""

from collections.abc import Iterable

import numpy as np

from pgm_tfp import elimination
from pgm_tfp.exact.evidence import Findings, Network, check_variables, conditioned
from pgm_tfp.memory import FLOAT

COPIES = 8  # arrays as large as the joint table, while the terms of the expectation are computed


def conditional_mutual_information(
    network: Network, x: Iterable[str], y: Iterable[str], given: Iterable[str] = ()
) -> float:
    """I(x; y | given) = E[log p(x, y | given) - log p(x | given) - log p(y | given)], in nats.

    Raises:
        UserError: a variable is unknown.
        TooLargeError: the joint table of all these variables would take more memory than there is.
    """
    x, y, given = tuple(x), tuple(y), tuple(given)
    check_variables(network, (*x, *y, *given))
    sizes = {variable: len(network.states[variable]) for variable in (*x, *y, *given)}
    elimination.check_table(sizes, FLOAT * COPIES)
    joint, _ = elimination.joint(conditioned(network, Findings({}, []), (*x, *y, *given)), (*x, *y, *given))
    axes_x, axes_y = joint.axes(x), joint.axes(y)
    p = joint.values
    p_x, p_y, p_given = (p.sum(axes, keepdims=True) for axes in (axes_y, axes_x, axes_x + axes_y))
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = p * np.log(p * p_given / (p_x * p_y))
    return max(0.0, float(terms[p > 0].sum()))
