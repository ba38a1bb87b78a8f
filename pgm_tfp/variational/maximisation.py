"""Maximising a smooth function that TensorFlow computes: L-BFGS, from as many starts as are given."""

from collections.abc import Callable, Sequence
from functools import partial
from math import prod
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from scipy.optimize import minimize

ITERATIONS = 500
GRADIENT = 1e-7  # largest entry of the gradient at a maximum, in nats


class Maximum(NamedTuple):
    """Where one start ended.

    Attributes:
        parameters: one long vector.
        value: of the function there.
        trace: the value at the start and after each iteration.
        arrived: the optimiser met its tolerance.
    """

    parameters: np.ndarray
    value: float
    trace: np.ndarray
    arrived: bool


def climb(value_and_gradient: Callable[[np.ndarray], tuple[float, np.ndarray]], start: np.ndarray) -> Maximum:
    """Maximise a function of one vector from a start."""

    def negative(flat: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = value_and_gradient(flat)
        # Where a step was too long for float64, L-BFGS tries a shorter one.
        return (-value, -gradient) if np.isfinite(value) else (np.inf, np.zeros_like(flat))

    trace = [-negative(start)[0]]
    found = minimize(
        negative,
        start,
        jac=True,
        method="L-BFGS-B",
        callback=lambda intermediate_result: trace.append(-intermediate_result.fun),
        options={"maxiter": ITERATIONS, "gtol": GRADIENT, "ftol": 1e-11, "maxcor": 30},
    )
    return Maximum(found.x, -float(found.fun), np.array(trace), bool(found.success))


def maximiser(
    function: Callable[[list[tf.Tensor]], tf.Tensor], shapes: Sequence[tuple[int, ...]]
) -> Callable[[np.ndarray], Maximum]:
    """How to maximise a function of arrays of these shapes from a start, the arrays laid end to end.

    The function is compiled once, at the first start.
    """

    @tf.function
    def compiled(flat: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(flat)
            value = function(unpacked(flat, shapes))
        return value, tape.gradient(value, flat)

    def value_and_gradient(flat: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = compiled(tf.constant(flat))
        return float(value), gradient.numpy()

    return partial(climb, value_and_gradient)


def unpacked(flat: Any, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
    """One long vector as arrays of these shapes."""
    parts = tf.split(flat, [prod(shape) for shape in shapes])
    return [tf.reshape(part, shape) for part, shape in zip(parts, shapes, strict=True)]
