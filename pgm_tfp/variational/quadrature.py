"""The exact posterior of up to two unconstrained coordinates by quadrature, with its error.

For a smooth density that vanishes at both ends of the grid, the trapezoidal rule's error falls faster than any power of
the step (Trefethen & Weideman 2014). What remains is to lay the grid where the mass is:

- **Frames.** From several starts, L-BFGS finds the modes of p(u, x, evidence) for the states x of the discrete
  variables; each mode m with the curvature there is a normal N(m, L L'). Coordinates t with u = m + L t see the mode
  at unit scale, however sharp or tilted it is.
- **Several modes.** The density is shared out among the frames in proportion to their normals, and each share is
  integrated in its own frame: a narrow peak upon a wide one is seen at both scales.
- **Tails.** Along each axis t = sinh(s): the grid is even near the mode and reaches far in few steps. It is widened
  until its border holds nothing. Where float64 ends before that (a sigmoid that rounds to one), what may lie beyond
  counts as error.

The error is known in three ways: half the step must give the same evidence, a second set of frames, made from what the
first found, must give it again, and so must importance sampling, within its standard error.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf
from scipy.linalg import solve_triangular
from scipy.special import logsumexp
from scipy.stats import multivariate_t

from common.errors import UserError
from pgm_tfp.variational.maximisation import climb
from pgm_tfp.variational.targets import Target

MOST_DIMENSIONS = 2
MOST_CELLS = {1: 2**17, 2: 2**21}  # points of one grid times states
AT_ONCE = 2**21  # cells for which densities are computed together
STEP = 0.25  # of s; halved until the evidence stays the same
SIDE, FARTHEST, NEAR = 2.5, 40.0, 1.0  # of s: t = 6 at first; nearer than 1 a density must be a number
BORDER = 1e-15  # share of the mass that the border may hold
AGREEMENT = 1e-9  # nats between two steps
KNOWN = 1e-4  # largest error, in nats, of an evidence that is called exact
PASSES, CURVATURE_PASSES = 4, 3
MOST_COMPONENTS, MOST_FRAMES, RANDOM_STARTS = 24, 12, 8
NEGLIGIBLE = 1e-12  # share of the mass below which a mode gets no frame of its own
DRAWS, WIDE, SURE = 2**14, 1.5, 5.0  # of importance sampling: its width, and standard errors by which it may differ


class Quadrature(NamedTuple):
    """A posterior as weighted points.

    Attributes:
        points: values of the continuous variables in the model's own space, (points, columns).
        weights: their posterior probabilities, (points,).
        columns: names of the columns.
        log_evidence: log p(evidence), in nats.
        error: how far log_evidence may be off, in nats; infinite where importance sampling contradicts it.
        states: p(x | evidence) for each joint state x of the target's interface, (states,).
    """

    points: np.ndarray
    weights: np.ndarray
    columns: tuple[str, ...]
    log_evidence: float
    error: float
    states: np.ndarray

    @property
    def known(self) -> bool:
        """Is the evidence exact to 1e-4 nats?"""
        return self.error <= KNOWN

    def mean(self) -> np.ndarray:
        """Posterior means, (columns,)."""
        return self.weights @ self.points

    def std(self) -> np.ndarray:
        """Posterior standard deviations, (columns,)."""
        return np.sqrt(self.weights @ (self.points - self.mean()) ** 2)


class Frame(NamedTuple):
    """Where one mode lies, and its width: N(centre, scale scale').

    Attributes:
        centre: (d,).
        scale: lower triangle, (d, d).
        log_mass: of the mode, in nats.
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
        """Of its normal, times its mass, (points,)."""
        t = self.coordinates(u)
        return self.log_mass - 0.5 * (t**2).sum(1) - self.log_width - 0.5 * t.shape[1] * np.log(2 * np.pi)


class Share(NamedTuple):
    """One frame's share of the mass.

    Attributes:
        u: points, (points, d).
        log_masses: log of each point's and state's mass, (points, states).
        error: by how much half the step changed log of all mass, in nats.
    """

    u: np.ndarray
    log_masses: np.ndarray
    error: float


class Density:
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
        """log p(u, x, evidence) for one state x, or all of them together where it is -1, (points,), and (points, d)."""
        value, gradient = self._value_and_gradient(tf.constant(u), tf.constant(state, tf.int32))
        return value.numpy(), gradient.numpy()

    def _traced(self, u: tf.Tensor, state: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(u)
            logs = self.target.log_densities(u)
            value = tf.cond(state < 0, lambda: tf.reduce_logsumexp(logs, -1), lambda: logs[:, state])
        return value, tape.gradient(value, u)


def quadrature(target: Target) -> Quadrature:
    """The posterior of the continuous variables, discrete ones summed out.

    Raises:
        UserError: there are no continuous variables, or more than two unconstrained coordinates, a density is not a
            number, or no place is found where the evidence is possible.
    """
    if not 1 <= target.dimensions <= MOST_DIMENSIONS:
        raise UserError(
            f"quadrature is for one or two hidden continuous numbers, not for {target.dimensions}; use nuts"
        )
    density = Density(target)
    frames = _modes(density)
    if not frames:
        raise UserError("quadrature finds no place where the evidence is possible; check the evidence")
    before = np.inf
    for _ in range(PASSES):
        shares = [_share(density, frames, number) for number in range(len(frames))]
        masses = np.array([logsumexp(share.log_masses) for share in shares])
        log_evidence = float(logsumexp(masses))
        error = float(np.exp(masses - log_evidence) @ [share.error for share in shares])
        moved, before = abs(log_evidence - before), log_evidence
        frames = [_frame_of(share, frame) for share, frame in zip(shares, frames, strict=True)]
        if moved <= max(AGREEMENT, error):
            break
    if _contradicted(density, frames, log_evidence, error + moved):
        error = np.inf
    return _posterior(target, shares, log_evidence, error + moved)


def _modes(density: Density) -> list[Frame]:
    """The modes found from draws of the prior, the heaviest first."""
    prior = density.target.prior_draws
    spread = np.maximum(prior.std(0), 1e-6)
    logs = density.logs(prior)
    order = np.argsort(-logsumexp(logs, 1))
    starts = [(-1, prior[at]) for at in order[:: max(1, len(order) // RANDOM_STARTS)]]
    if logs.shape[1] > 1:
        best = logs.argmax(0)
        likely = np.argsort(-logs[best, np.arange(len(best))])[:MOST_COMPONENTS]
        starts += [(number, prior[best[number]]) for number in likely]
    frames: list[Frame] = []
    for state, start in starts:
        frame = _mode_from(density, state, start, spread)
        if frame and not any(_same(frame, other) for other in frames):
            frames.append(frame)
    frames.sort(key=lambda frame: -frame.log_mass)
    return [frame for frame in frames[:MOST_FRAMES] if frame.log_mass > frames[0].log_mass + np.log(NEGLIGIBLE)]


def _mode_from(density: Density, state: int, start: np.ndarray, spread: np.ndarray) -> Frame | None:
    """Laplace's approximation at the mode that L-BFGS finds from a start; None where it finds none."""

    def value_and_gradient(scaled: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = density.value_and_gradient((scaled * spread)[np.newaxis], state)
        return float(value[0]), gradient[0] * spread

    top = climb(value_and_gradient, start / spread)
    if not np.isfinite(top.value):
        return None
    centre, width = top.parameters * spread, spread
    for _ in range(CURVATURE_PASSES):
        # minus the Hessian, by differences of the gradient over a tenth of the width
        steps = np.diag(0.1 * width)
        _, gradients = density.value_and_gradient(np.concatenate([centre + steps, centre - steps]), state)
        precision = (gradients[len(steps) :] - gradients[: len(steps)]) / (0.2 * width[:, None])
        width = np.clip(1.0 / np.sqrt(np.maximum(np.diag(precision), 1e-30)), 1e-12 * spread, 10.0 * spread)
    try:
        scale = np.linalg.cholesky(np.linalg.inv(0.5 * (precision + precision.T)))
    except np.linalg.LinAlgError:  # at an edge or a kink; the second set of frames mends it
        scale = np.diag(width)
    log_mass = top.value + np.log(np.diag(scale)).sum() + 0.5 * len(centre) * np.log(2 * np.pi)
    return Frame(centre, scale, float(log_mass)) if np.isfinite(scale).all() else None


def _same(frame: Frame, other: Frame) -> bool:
    """Do two frames see the same mode at the same scale?"""
    apart = other.coordinates(frame.centre[np.newaxis])
    ratio = solve_triangular(other.scale, frame.scale, lower=True)
    return bool((np.abs(apart) < 0.1).all() and np.allclose(ratio, np.eye(len(ratio)), atol=0.2))


class Grid(NamedTuple):
    """The density on a grid in one frame's coordinates.

    Attributes:
        u: points, (points, d).
        log_masses: log of each point's and state's mass, (points, states).
        by_point: the same, states together, with an axis for each coordinate.
        lost: log of the mass that may lie where float64 ends.
    """

    u: np.ndarray
    log_masses: np.ndarray
    by_point: np.ndarray
    lost: float


def _share(density: Density, frames: list[Frame], number: int) -> Share:
    """What the density holds of frame `number`, integrated in its coordinates."""
    dimensions = len(frames[number].centre)
    lows, highs = np.full(dimensions, -SIDE), np.full(dimensions, SIDE)
    grid = _on_grid(density, frames, number, lows, highs, STEP)
    while _widened(grid, lows, highs):
        grid = _on_grid(density, frames, number, lows, highs, STEP)
    step, total = STEP, logsumexp(grid.log_masses)
    # A frame that holds little of the mass needs no more digits than it adds to the whole.
    allowed = AGREEMENT * np.exp(max(frame.log_mass for frame in frames) - frames[number].log_mass)
    while True:
        step, before = step / 2, total
        grid = _on_grid(density, frames, number, lows, highs, step)
        total = logsumexp(grid.log_masses)
        error = abs(total - before) if np.isfinite(total) else 0.0
        if error < allowed or grid.log_masses.size * 2**dimensions > MOST_CELLS[dimensions]:
            beyond = np.log1p(np.exp(grid.lost - total)) if np.isfinite(grid.lost) else 0.0
            return Share(grid.u, grid.log_masses, float(error + beyond))


def _widened(grid: Grid, lows: np.ndarray, highs: np.ndarray) -> bool:
    """Move those sides of the grid outwards, in place, whose border holds some of the mass; was there one?"""
    limit, widened = logsumexp(grid.log_masses) + np.log(BORDER), False
    for axis in range(len(lows)):
        for end, ends in ((0, lows), (-1, highs)):
            if logsumexp(grid.by_point.take(end, axis)) > limit and abs(ends[axis]) < FARTHEST:
                ends[axis] += np.sign(ends[axis])
                widened = True
    return widened


def _on_grid(
    density: Density, frames: list[Frame], number: int, lows: np.ndarray, highs: np.ndarray, step: float
) -> Grid:
    """Frame `number`'s share of the density at u = m + L sinh(s), s from `lows` to `highs` in equal steps."""
    frame = frames[number]
    axes = [
        step * np.arange(np.round(low / step), np.round(high / step) + 1) for low, high in zip(lows, highs, strict=True)
    ]
    s = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], -1)
    u = frame.centre + np.sinh(s) @ frame.scale.T
    logs = density.logs(u)
    failed = ~(logs < np.inf).all(1)
    if failed.any():
        density.target.check_numbers(u[failed & (np.abs(s).max(1) < NEAR)])
        logs[failed] = -np.inf
    if len(frames) > 1:
        normals = np.stack([other.log_density(u) for other in frames])
        logs = logs + (normals[number] - logsumexp(normals, 0))[:, None]
    # du = |L| prod cosh(s) ds
    logs += (np.log(np.cosh(s)).sum(1) + frame.log_width + len(axes) * np.log(step))[:, None]
    shape = tuple(map(len, axes))
    by_point = logsumexp(logs, 1).reshape(shape)
    return Grid(u, logs, by_point, _log_lost(by_point, failed.reshape(shape), step))


def _log_lost(by_point: np.ndarray, failed: np.ndarray, step: float) -> float:
    """Log of what may lie beyond the points where float64 fails.

    A tail f(t) that falls exponentially holds f(t) / rate beyond t, at most f(t) t = f(t) dt/ds: a border point's mass
    over the step.
    """
    lost = -np.inf
    for axis in range(failed.ndim):
        ahead, behind = np.moveaxis(failed, axis, 0), np.moveaxis(by_point, axis, 0)
        for inner, outer in ((slice(None, -1), slice(1, None)), (slice(1, None), slice(None, -1))):
            border = behind[inner][ahead[outer] & ~ahead[inner]]
            lost = np.logaddexp(lost, logsumexp(border) - np.log(step)) if border.size else lost
    return float(lost)


def _frame_of(share: Share, frame: Frame) -> Frame:
    """A frame from the mass itself: its centre and its width, little moved by far tails.

    One step of the multivariate t-distribution's estimate with five degrees of freedom (Lange, Little & Taylor 1989).
    """
    log_mass = logsumexp(share.log_masses)
    if log_mass == -np.inf:
        return frame
    weights = np.exp(logsumexp(share.log_masses, 1) - log_mass)
    kept = weights > 1e-30
    t, weights = frame.coordinates(share.u[kept]), weights[kept]
    weights = weights * (5.0 + t.shape[1]) / (5.0 + (t**2).sum(1))
    centre = weights @ t / weights.sum()
    apart = t - centre
    covariance = (weights[:, None] * apart).T @ apart / weights.sum()
    try:
        scale = frame.scale @ np.linalg.cholesky(covariance)
        return Frame(frame.centre + frame.scale @ centre, scale, log_mass)
    except np.linalg.LinAlgError:  # no width: one point holds all mass
        return frame._replace(log_mass=log_mass)


def _contradicted(density: Density, frames: list[Frame], log_evidence: float, error: float) -> bool:
    """Does importance sampling give another evidence, by more than its standard error allows?

    Half of the draws come from wide t-distributions in the frames, half from one as wide as the prior, where modes may
    lie that no start has found.
    """
    prior, random = density.target.prior_draws, np.random.default_rng(0)
    dimensions = prior.shape[1]
    masses = np.maximum(np.exp([frame.log_mass - log_evidence for frame in frames]), 0.02)
    shares = np.array([*(0.5 * masses / masses.sum()), 0.5])
    proposals = [*frames, Frame(prior.mean(0), np.diag(np.maximum(prior.std(0), 1e-6)), 0.0)]
    standard = multivariate_t(np.zeros(dimensions), WIDE**2 * np.eye(dimensions), df=4)
    u = np.concatenate(
        [
            proposal.centre + standard.rvs(count, random_state=random).reshape(count, dimensions) @ proposal.scale.T
            for proposal, count in zip(proposals, random.multinomial(DRAWS, shares), strict=True)
        ]
    )
    log_q = logsumexp(
        [
            np.log(share) + standard.logpdf(proposal.coordinates(u)).reshape(-1) - proposal.log_width
            for share, proposal in zip(shares, proposals, strict=True)
        ],
        0,
    )
    logs = density.logs(u)
    logs[~(logs < np.inf)] = -np.inf
    ratios = np.exp(logsumexp(logs, 1) - log_q - log_evidence)
    return bool(abs(ratios.mean() - 1.0) > SURE * ratios.std() / np.sqrt(DRAWS) + error)


def _posterior(target: Target, shares: list[Share], log_evidence: float, error: float) -> Quadrature:
    u = np.concatenate([share.u for share in shares])
    masses = np.exp(np.concatenate([share.log_masses for share in shares]) - log_evidence)
    kept = masses.sum(1) > 1e-20
    masses = masses[kept]
    values = target.model_values(u[kept])
    if values.shape[1] == 1:
        points, weights = values[:, 0], masses.sum(1)
    else:
        points, weights = values.reshape(-1, values.shape[2]), masses.ravel()
    states = masses.sum(0)
    return Quadrature(points, weights / weights.sum(), target.columns, log_evidence, error, states / states.sum())
