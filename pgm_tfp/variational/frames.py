"""Frames for quadrature: where the modes of a density lie, and how wide and tilted each mode is.

L-BFGS finds the modes of p(u, x, evidence), for the states x of the discrete variables. Each mode m, with the curvature
there, gives a normal N(m, L L') (Laplace's approximation). L-BFGS starts from

- draws of the prior, for the sum over all states and for the most probable states;
- the local maxima of the density on a lattice that covers the prior;
- the maximum of each component of every mixture in the model, because a narrow component has no slope that leads to it;
- points that the caller knows, such as draws of a surrogate.

A point is explained if the normals of the frames found so far reach the density there. L-BFGS runs from the points that
are not explained, the highest density first, until all are explained.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from scipy.linalg import solve_triangular
from scipy.ndimage import maximum_filter
from scipy.special import logsumexp

from pgm_tfp.maximisation import maximise
from pgm_tfp.variational.targets import Target

ALL_STATES = -1  # in place of a joint state: the sum over all joint states
AT_ONCE = 2**21  # points times states whose densities are computed together
WIDTHS = np.geomspace(1e-13, 1e2, 181)  # of a mode that are tried, in units of the prior's standard deviation
HALF_A_NAT = 0.5  # by which a normal density is lower at one standard deviation
MOST_COMPONENTS, RANDOM_STARTS = 24, 8
MOST_FRAMES = {1: 48, 2: 16}  # by dimension, for quadrature
MOST_ASCENTS = 64  # from points that are not explained
EXPLAINED = 1.0  # nats by which a density may exceed the normals of the frames
NEGLIGIBLE = 1e-12  # share of the mass below which a mode gets no frame
LATTICE = {1: 2**13, 2: 2**7}  # by dimension, points along an axis
BEYOND = 3.0  # how much farther than the prior's draws the lattice reaches
MOST_MAXIMA = 256  # of a lattice
ZOOMS, ZOOM = 12, 4.0  # each zoom divides the step of a lattice by four


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
    """The target's log density, compiled for any number of points.

    Attributes:
        evaluations: the effort so far, as a number of densities: points times states, and points times frames.
    """

    def __init__(self, target: Target):
        points = tf.TensorSpec([None, target.dimensions], tf.float64)
        self.target = target
        self.evaluations = 0
        self._logs = tf.function(target.log_densities, input_signature=[points])
        self._value_and_gradient = tf.function(
            self._traced, input_signature=[points, tf.TensorSpec([], tf.int32, name="state")]
        )

    def logs(self, u: np.ndarray) -> np.ndarray:
        """log p(u, x, evidence), (points, states)."""
        self.evaluations += len(u) * self.target.interface_states
        many = max(1, AT_ONCE // self.target.interface_states)
        return np.concatenate([self._logs(tf.constant(u[at : at + many])).numpy() for at in range(0, len(u), many)])

    def component_logs(self, u: np.ndarray) -> np.ndarray:
        """log densities of single components of mixtures, (points, components); see `Target.component_logs`."""
        many = max(1, AT_ONCE // self.target.interface_states)
        # Not compiled: it is called a few times, and most models have no mixtures.
        parts = [self.target.component_logs(u[at : at + many]).numpy() for at in range(0, len(u), many)]
        return np.concatenate(parts)

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


def frames_of_modes(
    density: CompiledDensity, known: Sequence[Frame] = (), points: np.ndarray | None = None
) -> list[Frame]:
    """A frame for each mode that is found, the heaviest first.

    Args:
        known: frames that were found before; then the search begins at `points` alone.
        points: places where a mode may be, (n, d), besides those of the prior.
    """
    frames = list(known)
    candidates = [] if points is None else [points]
    if not known:
        for state, start in _starts_from_prior(density):
            _add(frames, _frame_from(density, state, start))
        candidates += _lattice_maxima(density) if density.target.dimensions in LATTICE else []
    if candidates:
        _explain(density, frames, np.concatenate(candidates))
    frames.sort(key=lambda frame: -frame.log_mass)
    return [frame for frame in frames if frame.log_mass > frames[0].log_mass + np.log(NEGLIGIBLE)]


def log_mixture(frames: Sequence[Frame], u: np.ndarray) -> np.ndarray:
    """log of the sum of the frames' normals times their masses, (points,)."""
    return logsumexp([frame.log_density(u) for frame in frames], 0)


def _starts_from_prior(density: CompiledDensity) -> Iterator[tuple[int, np.ndarray]]:
    """Draws of the prior as starts: for the sum over all states, and for the most probable states."""
    prior, logs = density.target.prior_draws, density.target.prior_draw_log_densities
    order = np.argsort(-logsumexp(logs, 1))
    yield from ((ALL_STATES, prior[at]) for at in order[:: max(1, len(order) // RANDOM_STARTS)])
    if logs.shape[1] > 1:
        best = logs.argmax(0)
        likely = np.argsort(-logs[best, np.arange(len(best))])[:MOST_COMPONENTS]
        yield from ((int(number), prior[best[number]]) for number in likely)


def _lattice_maxima(density: CompiledDensity) -> list[np.ndarray]:
    """The local maxima of the density, and the maximum of each component of a mixture: arrays (n, d)."""
    axes = _lattice_axes(density.target, density.target.interface_states)
    shape = tuple(map(len, axes))
    lattice = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], -1)
    steps = np.stack([step.ravel() for step in np.meshgrid(*(np.gradient(axis) for axis in axes), indexing="ij")], -1)

    def finite(logs: np.ndarray) -> np.ndarray:
        return np.where(logs < np.inf, logs, -np.inf)  # also where it is not a number

    logs = finite(logsumexp(density.logs(lattice), 1)).reshape(shape)
    peaks = np.flatnonzero((logs == maximum_filter(logs, 3, mode="nearest")) & (logs > -np.inf))
    peaks = peaks[np.argsort(-logs.ravel()[peaks])][:MOST_MAXIMA]
    found = [_zoomed(lambda u: finite(logsumexp(density.logs(u), 1)), lattice[peaks], steps[peaks])]
    alone = finite(density.component_logs(lattice))
    if count := alone.shape[1]:

        def own(u: np.ndarray) -> np.ndarray:
            """The log density of component k at block k of the points."""
            blocks = finite(density.component_logs(u)).reshape(count, -1, count)
            return blocks[np.arange(count), :, np.arange(count)].ravel()

        peaks = alone.argmax(0)
        found.append(_zoomed(own, lattice[peaks], steps[peaks]))
    return found


def _lattice_axes(target: Target, states: int) -> list[np.ndarray]:
    """Points along each axis, even near the median of the prior's draws and sparse far from it."""
    centre, spread, dimensions = target.prior_median, target.prior_spread, target.dimensions
    most = int((AT_ONCE / states) ** (1 / dimensions))
    reach = np.arcsinh(BEYOND * np.abs(target.prior_draws - centre).max(0) / spread)
    s = np.linspace(-1.0, 1.0, min(LATTICE[dimensions], most))
    return [middle + width * np.sinh(end * s) for middle, width, end in zip(centre, spread, reach, strict=True)]


def _zoomed(logs: Callable[[np.ndarray], np.ndarray], peaks: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Points (n, d) near the peaks of a lattice, with higher densities: ever finer lattices around each peak."""
    dimensions = peaks.shape[1]
    unit = np.linspace(-1.0, 1.0, int(2 * ZOOM) + 1)
    offsets = np.stack([axis.ravel() for axis in np.meshgrid(*[unit] * dimensions, indexing="ij")], -1)
    for _ in range(ZOOMS if len(peaks) else 0):
        around = peaks[:, None] + steps[:, None] * offsets
        best = logs(around.reshape(-1, dimensions)).reshape(len(peaks), -1).argmax(1)
        peaks, steps = around[np.arange(len(peaks)), best], steps / ZOOM
    return peaks


def _explain(density: CompiledDensity, frames: list[Frame], points: np.ndarray) -> None:
    """Add frames until their normals explain every point."""
    logs = logsumexp(density.logs(points), 1)
    points, logs = points[np.isfinite(logs)], logs[np.isfinite(logs)]
    prior = density.target.prior_draws
    log_volume = float(np.log(np.ptp(prior, 0) + density.target.prior_scale).sum())
    for _ in range(MOST_ASCENTS):
        if frames:
            heaviest = max(frame.log_mass for frame in frames)
            # A mode that is as wide as the prior has at most this mass.
            matters = logs + log_volume > heaviest + np.log(NEGLIGIBLE)
            unexplained = matters & (logs > log_mixture(frames, points) + EXPLAINED)
            points, logs = points[unexplained], logs[unexplained]
        if len(frames) >= MOST_FRAMES.get(density.target.dimensions, MOST_FRAMES[2]) or not len(points):
            break
        best = int(logs.argmax())
        _add(frames, _frame_from(density, ALL_STATES, points[best]))
        points, logs = np.delete(points, best, 0), np.delete(logs, best)


def _add(frames: list[Frame], frame: Frame | None) -> None:
    """Add a frame, unless there is one for the same mode at the same scale."""
    if frame and not any(_same(frame, other) for other in frames):
        frames.append(frame)


def _frame_from(density: CompiledDensity, state: int, start: np.ndarray) -> Frame | None:
    """Laplace's approximation at the mode that L-BFGS finds from a start; None where it finds none."""
    spread = density.target.prior_scale

    def value_and_gradient(scaled: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = density.value_and_gradient((scaled * spread)[np.newaxis], state)
        return float(value[0]), gradient[0] * spread

    maximum = maximise(value_and_gradient, start / spread)
    if not np.isfinite(maximum.value):
        return None
    centre = maximum.parameters * spread
    width = _width(density, state, centre, maximum.value)
    # minus the Hessian, by differences of the gradient over a tenth of the width
    steps = np.diag(0.1 * width)
    _, gradients = density.value_and_gradient(np.concatenate([centre + steps, centre - steps]), state)
    precision = (gradients[len(steps) :] - gradients[: len(steps)]) / (0.2 * width[:, None])
    try:
        scale = np.linalg.cholesky(np.linalg.inv(0.5 * (precision + precision.T)))
    except np.linalg.LinAlgError:  # at an edge or a kink; the second set of frames corrects it
        scale = np.diag(width)
    log_mass = maximum.value + np.log(np.diag(scale)).sum() + 0.5 * len(centre) * np.log(2 * np.pi)
    return Frame(centre, scale, float(log_mass)) if np.isfinite(scale).all() else None


def _width(density: CompiledDensity, state: int, centre: np.ndarray, highest: float) -> np.ndarray:
    """Along each axis, the smallest distance from a mode at which the log density is half a nat lower, (d,).

    It is the standard deviation of a normal mode. A narrow peak on top of a wide one has the width of the narrow one.
    """
    distances = density.target.prior_scale * WIDTHS[:, np.newaxis]
    apart = distances[:, np.newaxis] * np.eye(len(centre))
    drops = []
    for sign in (1.0, -1.0):
        values, _ = density.value_and_gradient((centre + sign * apart).reshape(-1, len(centre)), state)
        drops.append(highest - np.where(values < np.inf, values, -np.inf).reshape(len(distances), -1))
    # At an edge of the support the density may fall to zero on one side; the other side has the width.
    low = np.minimum(*drops) >= HALF_A_NAT
    return distances[np.where(low.any(0), low.argmax(0), -1), np.arange(len(centre))]


def _same(frame: Frame, other: Frame) -> bool:
    """Whether two frames describe the same mode at the same scale."""
    apart = other.coordinates(frame.centre[np.newaxis])
    ratio = solve_triangular(other.scale, frame.scale, lower=True)
    return bool((np.abs(apart) < 0.1).all() and np.allclose(ratio, np.eye(len(ratio)), atol=0.2))
