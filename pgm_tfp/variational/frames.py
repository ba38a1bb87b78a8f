"""Frames for quadrature: where the modes of a density lie, and how wide and tilted each mode is.

L-BFGS finds the modes of p(u, x, evidence) from several starts, for the states x of the discrete variables. Each
mode m, with the curvature there, gives a normal N(m, L L') (Laplace's approximation).
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf
from scipy.linalg import solve_triangular
from scipy.special import logsumexp

from pgm_tfp.maximisation import maximise
from pgm_tfp.variational.targets import Target

ALL_STATES = -1  # in place of a joint state: the sum over all joint states
AT_ONCE = 2**21  # points times states whose densities are computed together
CURVATURE_PASSES = 3
MOST_COMPONENTS, MOST_FRAMES, RANDOM_STARTS = 24, 12, 8
NEGLIGIBLE = 1e-12  # share of the mass below which a mode gets no frame


class Frame(NamedTuple):
    """A mode as a normal N(centre, scale scale') with a mass.

    Attributes:
        centre: the mode, (d,).
        scale: a lower triangle, (d, d).
        log_mass: logarithm of the mass of the mode, in nats.
    """

    centre: np.ndarray
    scale: np.ndarray
    log_mass: float

    def coordinates(self, u: np.ndarray) -> np.ndarray:
        """t with u = centre + scale t, (points, d)."""
        return solve_triangular(self.scale, (u - self.centre).T, lower=True).T

    @property
    def log_width(self) -> float:
        """log |det scale|."""
        return float(np.log(np.diag(self.scale)).sum())

    def log_density(self, u: np.ndarray) -> np.ndarray:
        """log of the normal's density times the mode's mass, (points,)."""
        t = self.coordinates(u)
        return self.log_mass - 0.5 * (t**2).sum(1) - self.log_width - 0.5 * t.shape[1] * np.log(2 * np.pi)


class CompiledDensity:
    """The target's log density, compiled for any number of points."""

    def __init__(self, target: Target):
        points = tf.TensorSpec([None, target.dimensions], tf.float64)
        self.target = target
        self._logs = tf.function(target.log_densities, input_signature=[points])
        self._value_and_gradient = tf.function(
            self._traced, input_signature=[points, tf.TensorSpec([], tf.int32, name="state")]
        )

    def logs(self, u: np.ndarray) -> np.ndarray:
        """log p(u, x, evidence), (points, states)."""
        many = max(1, AT_ONCE // self.target.interface_states)
        return np.concatenate([self._logs(tf.constant(u[at : at + many])).numpy() for at in range(0, len(u), many)])

    def value_and_gradient(self, u: np.ndarray, state: int) -> tuple[np.ndarray, np.ndarray]:
        """log p(u, x, evidence) for one joint state x, or its sum over `ALL_STATES`, and its gradient.

        Returns:
            (points,) and (points, d).
        """
        value, gradient = self._value_and_gradient(tf.constant(u), tf.constant(state, tf.int32))
        return value.numpy(), gradient.numpy()

    def _traced(self, u: tf.Tensor, state: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(u)
            logs = self.target.log_densities(u)
            value = tf.cond(state == ALL_STATES, lambda: tf.reduce_logsumexp(logs, -1), lambda: logs[:, state])
        return value, tape.gradient(value, u)


def frames_of_modes(density: CompiledDensity) -> list[Frame]:
    """A frame for each mode that is found from draws of the prior, the heaviest first."""
    prior, logs = density.target.prior_draws, density.target.prior_draw_log_densities
    order = np.argsort(-logsumexp(logs, 1))
    starts = [(ALL_STATES, prior[at]) for at in order[:: max(1, len(order) // RANDOM_STARTS)]]
    if logs.shape[1] > 1:
        best = logs.argmax(0)
        likely = np.argsort(-logs[best, np.arange(len(best))])[:MOST_COMPONENTS]
        starts += [(number, prior[best[number]]) for number in likely]
    frames: list[Frame] = []
    for state, start in starts:
        frame = _frame_from(density, state, start)
        if frame and not any(_same(frame, other) for other in frames):
            frames.append(frame)
    frames.sort(key=lambda frame: -frame.log_mass)
    return [frame for frame in frames[:MOST_FRAMES] if frame.log_mass > frames[0].log_mass + np.log(NEGLIGIBLE)]


def _frame_from(density: CompiledDensity, state: int, start: np.ndarray) -> Frame | None:
    """Laplace's approximation at the mode that L-BFGS finds from a start; None where it finds none."""
    spread = density.target.prior_scale

    def value_and_gradient(scaled: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = density.value_and_gradient((scaled * spread)[np.newaxis], state)
        return float(value[0]), gradient[0] * spread

    maximum = maximise(value_and_gradient, start / spread)
    if not np.isfinite(maximum.value):
        return None
    centre, width = maximum.parameters * spread, spread
    for _ in range(CURVATURE_PASSES):
        # minus the Hessian, by differences of the gradient over a tenth of the width
        steps = np.diag(0.1 * width)
        _, gradients = density.value_and_gradient(np.concatenate([centre + steps, centre - steps]), state)
        precision = (gradients[len(steps) :] - gradients[: len(steps)]) / (0.2 * width[:, None])
        width = np.clip(1.0 / np.sqrt(np.maximum(np.diag(precision), 1e-30)), 1e-12 * spread, 10.0 * spread)
    try:
        scale = np.linalg.cholesky(np.linalg.inv(0.5 * (precision + precision.T)))
    except np.linalg.LinAlgError:  # at an edge or a kink; the second set of frames corrects it
        scale = np.diag(width)
    log_mass = maximum.value + np.log(np.diag(scale)).sum() + 0.5 * len(centre) * np.log(2 * np.pi)
    return Frame(centre, scale, float(log_mass)) if np.isfinite(scale).all() else None


def _same(frame: Frame, other: Frame) -> bool:
    """Whether two frames describe the same mode at the same scale."""
    apart = other.coordinates(frame.centre[np.newaxis])
    ratio = solve_triangular(other.scale, frame.scale, lower=True)
    return bool((np.abs(apart) < 0.1).all() and np.allclose(ratio, np.eye(len(ratio)), atol=0.2))
