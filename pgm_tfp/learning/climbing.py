"""What both EM algorithms share: an objective that rises step by step, from several starts."""

import logging
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from common.errors import UserError
from pgm_tfp.learning.families import Expected
from pgm_tfp.learning.tables import Tables

log = logging.getLogger(__name__)


class Algorithm(NamedTuple):
    """An E step, an M step, and what the objective has beside the rows' log weight.

    Attributes:
        expect: parameters to expected counts.
        maximise: expected counts to parameters.
        beside: parameters to a log prior, or to minus a divergence from the prior, in nats.
    """

    expect: Callable[[Tables], Expected]
    maximise: Callable[[Tables], Tables]
    beside: Callable[[Tables], float]


class Climb(NamedTuple):
    """Where one start has led.

    Attributes:
        parameters: the last.
        expected: what their E step found.
        trace: the objective at the start and after each iteration, (iterations + 1,), in nats.
        converged: did it rise by no more than was asked for?
    """

    parameters: Tables
    expected: Expected
    trace: np.ndarray
    converged: bool


def best_climb(
    algorithm: Algorithm, starts: Iterable[Tables], tolerance: float, most_iterations: int
) -> tuple[Climb, np.ndarray]:
    """Climb from every start; the log has a warning where that ended too early.

    Args:
        tolerance: a climb has converged when an iteration raises its objective by no more than this share of it.

    Returns:
        The climb that came highest, and the last objective of each, (starts,).
    """
    climbs = [_climb(algorithm, start, tolerance, most_iterations) for start in starts]
    heights = np.array([climb.trace[-1] for climb in climbs])
    best = climbs[int(heights.argmax())]
    if late := sum(not climb.converged for climb in climbs):
        log.warning(
            "%d of %d starts had not converged after %d iterations, the best %s them; raise most_iterations, or "
            "tolerance if %.1g nats in the last iteration are few enough",
            late,
            len(climbs),
            most_iterations,
            "not among" if best.converged else "among",
            max(np.diff(climb.trace)[-1] for climb in climbs if not climb.converged),
        )
    return best, heights


def check_settings(restarts: int, tolerance: float, most_iterations: int) -> None:
    """Raise UserError unless there is something to do and an end to it."""
    if restarts < 1 or most_iterations < 1:
        raise UserError(f"restarts and most_iterations must be one or more, given {restarts} and {most_iterations}")
    if not tolerance >= 0.0:
        raise UserError(f"tolerance must be zero or more, given {tolerance}")


def _climb(algorithm: Algorithm, start: Tables, tolerance: float, most_iterations: int) -> Climb:
    parameters, expected = start, algorithm.expect(start)
    trace = [expected.log_weight + algorithm.beside(start)]
    for _ in range(most_iterations):
        parameters = algorithm.maximise(expected.counts)
        expected = algorithm.expect(parameters)
        trace.append(expected.log_weight + algorithm.beside(parameters))
        if trace[-1] - trace[-2] <= tolerance * abs(trace[-1]):
            return Climb(parameters, expected, np.array(trace), converged=True)
    return Climb(parameters, expected, np.array(trace), converged=False)
