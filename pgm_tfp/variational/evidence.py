"""log p(evidence) of a target by an exact method, where one is affordable."""

import logging

import numpy as np

from pgm_tfp.results import LogEvidence, summed
from pgm_tfp.variational.integration import MOST_DIMENSIONS, quadrature
from pgm_tfp.variational.tables import hidden_elimination
from pgm_tfp.variational.targets import Target

log = logging.getLogger(__name__)

MOST_CELLS = 2**27  # of the tables of variable elimination, a gigabyte; beyond that the evidence stays unknown


def exact_log_evidence(target: Target, points: np.ndarray | None = None) -> LogEvidence:
    """log p(evidence): by variable elimination, or by quadrature over one or two continuous coordinates.

    Args:
        points: unconstrained coordinates of places where a mode may be, (n, d), such as draws of a surrogate.

    Raises:
        UserError: the evidence is impossible.
    """
    if not target.continuous:
        affordable = hidden_elimination(target).cells <= MOST_CELLS
        return summed(target.log_evidence, 0.0, target.tail) if affordable else LogEvidence("unknown")
    if target.dimensions > MOST_DIMENSIONS:
        return LogEvidence("unknown")
    found = quadrature(target, points).log_evidence
    if found.kind != "known":
        log.warning(
            "the exact evidence, and therefore the gap, is not known: the error of quadrature is %.1g nats", found.error
        )
    return found
