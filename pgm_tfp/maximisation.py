"""Maximises a smooth function by L-BFGS (Liu & Nocedal 1989), with scipy's implementation.

Every method that needs a maximum and has a gradient uses `maximise`. TensorFlow computes the gradients; it is imported
only when a function is compiled, because it takes ten times as long to load as everything else here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.optimize import Bounds, minimize

if TYPE_CHECKING:
    import tensorflow as tf

MOST_ITERATIONS = 500
GRADIENT_TOLERANCE = 1e-7  # largest entry of the gradient at a maximum, in nats per unit of the parameter
VALUE_TOLERANCE = 1e-11  # relative gain of an iteration below which the maximum counts as reached
REMEMBERED_STEPS = 30  # gradient differences from which L-BFGS estimates the curvature

ValueAndGradient = Callable[[np.ndarray], tuple[float, np.ndarray]]


class Maximum(NamedTuple):
    """The point that L-BFGS reached from one start.

    Attributes:
        parameters: the point, one long vector (n,).
        value: the function there.
        trace: the function at the start and after each iteration, (iterations + 1,).
        converged: whether L-BFGS met its tolerance.
    """

    parameters: np.ndarray
    value: float
    trace: np.ndarray
    converged: bool


def maximise(
    value_and_gradient: ValueAndGradient,
    start: np.ndarray,
    bounds: Bounds | None = None,
    most_iterations: int = MOST_ITERATIONS,
    value_tolerance: float = VALUE_TOLERANCE,
) -> Maximum:
    """The local maximum that L-BFGS finds from a start.

    Args:
        value_and_gradient: the function and its gradient at a vector (n,).
        start: (n,).
        bounds: the box in which the parameters stay; by default there is none.
        most_iterations: the iterations after which L-BFGS stops in any case.
        value_tolerance: L-BFGS stops when an iteration gains a smaller share of the value than this.
    """

    def negative(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = value_and_gradient(parameters)
        # A step too long for float64 gives no finite value; the line search then tries a shorter one.
        return (-value, -gradient) if np.isfinite(value) else (np.inf, np.zeros_like(parameters))

    trace = [-negative(start)[0]]
    found = minimize(
        negative,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        callback=lambda intermediate_result: trace.append(-float(intermediate_result.fun)),
        options={
            "maxiter": most_iterations,
            "gtol": GRADIENT_TOLERANCE,
            "ftol": value_tolerance,
            "maxcor": REMEMBERED_STEPS,
        },
    )
    return Maximum(found.x, -float(found.fun), np.array(trace), bool(found.success))


def compiled(function: Callable[[list[tf.Tensor]], tf.Tensor], shapes: Sequence[tuple[int, ...]]) -> ValueAndGradient:
    """A TensorFlow function of several arrays, as a function of one vector that also gives the gradient.

    Args:
        function: from float64 arrays of these shapes, a scalar. TensorFlow traces it once, at the first call.
        shapes: of the arrays, which lie one after the other in the vector.
    """
    import tensorflow as tf

    @tf.function
    def traced(flat: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(flat)
            value = function(unpacked(flat, shapes))
        return value, tape.gradient(value, flat)

    def value_and_gradient(flat: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = traced(tf.constant(flat, tf.float64))
        return float(value), gradient.numpy()

    return value_and_gradient


def packed(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Arrays laid end to end as one vector."""
    return np.concatenate([np.ravel(array) for array in arrays])


def unpacked(flat: Any, shapes: Sequence[tuple[int, ...]]) -> list[tf.Tensor]:
    """One vector cut into arrays of these shapes."""
    import tensorflow as tf

    parts = tf.split(flat, [prod(shape) for shape in shapes])
    return [tf.reshape(part, shape) for part, shape in zip(parts, shapes, strict=True)]
