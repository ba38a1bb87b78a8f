"""The iteration that EM and variational EM share: an objective that rises step by step, from several starts."""

import logging
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from common.errors import UserError
from pgm_tfp.learning.families import Expected
from pgm_tfp.learning.family_arrays import FamilyArrays

log = logging.getLogger(__name__)


class Algorithm(NamedTuple):
    """An E step, an M step, and the regulariser of the objective.

    The objective is the log weight that the E step finds, plus the regulariser.

    Attributes:
        expect: from parameters to expected counts.
        maximise: from expected counts to parameters.
        regulariser: of the parameters, in nats: a log prior, or minus a divergence from the prior.
    """

    expect: Callable[[FamilyArrays], Expected]
    maximise: Callable[[FamilyArrays], FamilyArrays]
    regulariser: Callable[[FamilyArrays], float]


class Iterated(NamedTuple):
    """The end of the iteration from one start.

    Attributes:
        parameters: after the last iteration.
        expected: the result of an E step with these parameters.
        trace: the objective at the start and after each iteration, (iterations + 1,), in nats.
        converged: whether the last iteration raised the objective by no more than the tolerance.
    """

    parameters: FamilyArrays
    expected: Expected
    trace: np.ndarray
    converged: bool


def best_of_starts(
    algorithm: Algorithm, starts: Iterable[FamilyArrays], tolerance: float, most_iterations: int
) -> tuple[Iterated, np.ndarray]:
    """The iteration with the highest objective, and the last objective from each start, (starts,).

    Logs a warning if iterations stopped before they converged.

    Args:
        starts: the parameters to start from.
        tolerance: an iteration has converged when it raises the objective by no more than this share of the objective.
        most_iterations: stop after this many, converged or not.
    """
    ends = [_iterated(algorithm, start, tolerance, most_iterations) for start in starts]
    objectives = np.array([end.trace[-1] for end in ends])
    best = ends[int(objectives.argmax())]
    if unfinished := [end for end in ends if not end.converged]:
        log.warning(
            "%d of %d starts had not converged after %d iterations, the best %s them; raise most_iterations, or "
            "tolerance if an improvement of %.1g nats in the last iteration is small enough",
            len(unfinished),
            len(ends),
            most_iterations,
            "not among" if best.converged else "among",
            max(np.diff(end.trace)[-1] for end in unfinished),
        )
    return best, objectives


def check_settings(restarts: int, tolerance: float, most_iterations: int) -> None:
    """Raise UserError unless there is at least one start and one iteration, and the tolerance is not negative."""
    if restarts < 1 or most_iterations < 1:
        raise UserError(f"restarts and most_iterations must be one or more, given {restarts} and {most_iterations}")
    if not tolerance >= 0.0:
        raise UserError(f"tolerance must be zero or more, given {tolerance}")


def _iterated(algorithm: Algorithm, start: FamilyArrays, tolerance: float, most_iterations: int) -> Iterated:
    parameters, expected = start, algorithm.expect(start)
    trace = [expected.log_weight + algorithm.regulariser(start)]
    for _ in range(most_iterations):
        parameters = algorithm.maximise(expected.counts)
        expected = algorithm.expect(parameters)
        trace.append(expected.log_weight + algorithm.regulariser(parameters))
        if trace[-1] - trace[-2] <= tolerance * abs(trace[-1]):
            return Iterated(parameters, expected, np.array(trace), converged=True)
    return Iterated(parameters, expected, np.array(trace), converged=False)
