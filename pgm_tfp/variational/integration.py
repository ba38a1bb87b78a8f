"""The exact posterior of one or two unconstrained coordinates by quadrature, with its error.

For a smooth density that vanishes at both ends of the grid, the error of the trapezoidal rule falls faster than any
power of the step (Trefethen & Weideman 2014). What remains is to place the grid where the mass is:

- **Frames.** Each mode m of the density, with the curvature there, is a normal N(m, L L')
  (`pgm_tfp.variational.frames`). In coordinates t with u = m + L t the mode has unit scale, however sharp or tilted it
  is.
- **Several modes.** The density is divided among the frames in proportion to their normals, and each share is
  integrated in its own frame. So a narrow peak on top of a wide one is integrated at both scales.
- **Tails.** Along each axis t = sinh(s): a grid with equal steps in s is even near the mode and reaches far in few
  steps. The grid is widened until its border has no mass. Where float64 ends before that (a sigmoid that rounds to
  one), the mass that may lie beyond counts as error.

Three checks give the error: half the step must give the same evidence; a second set of frames, computed from the first
result, must give it again; and importance sampling must give it within its standard error.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp
from scipy.stats import multivariate_t

from common.errors import UserError
from pgm_tfp.variational.frames import CompiledDensity, Frame, frames_of_modes
from pgm_tfp.variational.results import LogEvidence, Marginal, marginal_of
from pgm_tfp.variational.targets import Target

MOST_DIMENSIONS = 2
MOST_CELLS = {1: 2**17, 2: 2**21}  # by dimension, points of one grid times states
STEP = 0.25  # of s; halved until the evidence stays the same
SIDE, FARTHEST = 2.5, 40.0  # half the width of the grid in s, at first (t = 6) and at most
NEAR = 1.0  # of s: at points nearer to the mode than this, a density must be a number
BORDER = 1e-15  # share of the mass that the border may have
AGREEMENT = 1e-9  # nats between two steps
KNOWN = 1e-4  # largest error, in nats, of an evidence that counts as known
PASSES = 4
IMPORTANCE_DRAWS, WIDENING = 2**14, 1.5
MOST_STANDARD_ERRORS = 5.0  # by which importance sampling may differ


class Quadrature(NamedTuple):
    """A posterior as weighted points.

    Attributes:
        target: the posterior that was integrated.
        points: values of the continuous variables in the model's own space, (points, columns).
        weights: their posterior probabilities, (points,).
        interface: p(x | evidence) for each joint state x of the target's interface, (states,).
        log_evidence: log p(evidence) with its error in nats; known where the error is at most 1e-4 nats. The error is
            infinite where importance sampling contradicts the value.
    """

    target: Target
    points: np.ndarray
    weights: np.ndarray
    interface: np.ndarray
    log_evidence: LogEvidence

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns: z for a scalar, w[0] and w[1] for a vector."""
        return self.target.columns

    @property
    def converged(self) -> bool:
        """Whether the evidence is known, to 1e-4 nats."""
        return self.log_evidence.kind == "known"

    def marginal(self, variable: str) -> Marginal:
        """The posterior of one variable: of a continuous one, as weighted points."""
        return marginal_of(self.target, variable, self.points, self.weights, self.interface)

    def mean(self) -> np.ndarray:
        """Posterior means, (columns,)."""
        return self.weights @ self.points

    def std(self) -> np.ndarray:
        """Posterior standard deviations, (columns,)."""
        return np.sqrt(self.weights @ (self.points - self.mean()) ** 2)


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


def quadrature(target: Target) -> Quadrature:
    """The posterior of the hidden continuous variables, with the discrete variables summed out.

    Raises:
        UserError: there are no hidden continuous variables or more than two unconstrained coordinates, a density is not
            a number, or no point is found where the evidence is possible.
    """
    if not 1 <= target.dimensions <= MOST_DIMENSIONS:
        raise UserError(
            f"quadrature is for one or two hidden continuous numbers, and there are {target.dimensions}; use nuts"
        )
    density = CompiledDensity(target)
    frames = frames_of_modes(density)
    if not frames:
        raise UserError("quadrature finds no point where the evidence is possible; check the evidence")
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


class Grid(NamedTuple):
    """The density on a grid in one frame's coordinates.

    Attributes:
        u: points, (points, d).
        log_masses: log of each point's and state's mass, (points, states).
        by_point: log of each point's mass, summed over states, with an axis for each coordinate.
        lost: log of the mass that may lie beyond the range of float64.
    """

    u: np.ndarray
    log_masses: np.ndarray
    by_point: np.ndarray
    lost: float


def _share(density: CompiledDensity, frames: list[Frame], number: int) -> Share:
    """Frame `number`'s share of the density, integrated in that frame's coordinates."""
    dimensions = len(frames[number].centre)
    lows, highs = np.full(dimensions, -SIDE), np.full(dimensions, SIDE)
    grid = _on_grid(density, frames, number, lows, highs, STEP)
    while _widened(grid, lows, highs):
        grid = _on_grid(density, frames, number, lows, highs, STEP)
    step, total = STEP, logsumexp(grid.log_masses)
    # A frame with little of the mass changes only the last digits of the sum, so it may be less precise.
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
    """Move each side of the grid whose border has mass outwards, in place. Returns whether any side moved."""
    limit, widened = logsumexp(grid.log_masses) + np.log(BORDER), False
    for axis in range(len(lows)):
        for end, ends in ((0, lows), (-1, highs)):
            if logsumexp(grid.by_point.take(end, axis)) > limit and abs(ends[axis]) < FARTHEST:
                ends[axis] += np.sign(ends[axis])
                widened = True
    return widened


def _on_grid(
    density: CompiledDensity, frames: list[Frame], number: int, lows: np.ndarray, highs: np.ndarray, step: float
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
    """Log of the mass that may lie beyond the points where float64 fails.

    A tail f(t) that falls exponentially has the mass f(t) / rate beyond t. That is at most f(t) t = f(t) dt/ds, the
    mass of a border point divided by the step.
    """
    lost = -np.inf
    for axis in range(failed.ndim):
        ahead, behind = np.moveaxis(failed, axis, 0), np.moveaxis(by_point, axis, 0)
        for inner, outer in ((slice(None, -1), slice(1, None)), (slice(1, None), slice(None, -1))):
            border = behind[inner][ahead[outer] & ~ahead[inner]]
            lost = np.logaddexp(lost, logsumexp(border) - np.log(step)) if border.size else lost
    return float(lost)


def _frame_of(share: Share, frame: Frame) -> Frame:
    """A frame at the centre of a share's mass, as wide as the mass; far tails change it little.

    It is one step of the multivariate t-distribution's estimate with five degrees of freedom (Lange, Little & Taylor
    1989).
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
    except np.linalg.LinAlgError:  # one point has all the mass, so there is no width
        return frame._replace(log_mass=log_mass)


def _contradicted(density: CompiledDensity, frames: list[Frame], log_evidence: float, error: float) -> bool:
    """Whether importance sampling gives another evidence, by more than its standard error allows.

    Half of the draws come from wide t-distributions in the frames. The other half come from a t-distribution as
    wide as the prior, and may fall on modes that no start has found.
    """
    prior, random = density.target.prior_draws, np.random.default_rng(0)
    dimensions = prior.shape[1]
    masses = np.maximum(np.exp([frame.log_mass - log_evidence for frame in frames]), 0.02)
    shares = np.array([*(0.5 * masses / masses.sum()), 0.5])
    proposals = [*frames, Frame(prior.mean(0), np.diag(density.target.prior_scale), 0.0)]
    standard = multivariate_t(np.zeros(dimensions), WIDENING**2 * np.eye(dimensions), df=4)
    u = np.concatenate(
        [
            proposal.centre + standard.rvs(count, random_state=random).reshape(count, dimensions) @ proposal.scale.T
            for proposal, count in zip(proposals, random.multinomial(IMPORTANCE_DRAWS, shares), strict=True)
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
    return bool(abs(ratios.mean() - 1.0) > MOST_STANDARD_ERRORS * ratios.std() / np.sqrt(IMPORTANCE_DRAWS) + error)


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
    interface = masses.sum(0)
    known = LogEvidence("known" if error <= KNOWN else "unknown", log_evidence, error)
    return Quadrature(target, points, weights / weights.sum(), interface / interface.sum(), known)
