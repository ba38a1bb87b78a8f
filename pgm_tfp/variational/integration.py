"""The exact posterior of one or two unconstrained coordinates by quadrature, with its error.

For a smooth density that vanishes at both ends of the grid, the error of the trapezoidal rule falls faster than any
power of the step (Trefethen & Weideman 2014). What remains is to place the grid where the mass is:

- **Frames.** Each mode m of the density, with the curvature there, is a normal N(m, L L')
  (`pgm_tfp.variational.frames`). In coordinates t with u = m + L t the mode has unit scale, however sharp or tilted it
  is.
- **Several modes.** The density is divided among the frames in proportion to their normals, and each share is
  integrated in its own frame. So a narrow peak on top of a wide one is integrated at both scales.
- **Tails.** Along each axis t = sinh(s): a grid with equal steps in s is even near the mode and reaches far in few
  steps. The grid is widened until its border has no mass, and no share of any column's second moment. Where float64
  ends before that (a sigmoid that rounds to one), the mass that may lie beyond counts as error. Where a moment has
  not vanished at the farthest border, it is unknown: it may be infinite.

Three checks give the error: half the step must give the same evidence; a second set of frames, computed from the first
result, must give it again; and importance sampling must give it. The last check does not depend on the grids: half of
its points cover the prior, where a mode may be that no search has found. Its own error, and the difference, are part of
the stated error. If it contradicts the result, the search for modes goes on at the points that weigh most.
"""

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp
from scipy.stats import qmc

from common.errors import UserError
from common.estimates import Estimate
from pgm_tfp.results import KNOWN, LogEvidence, Marginal, WeightedPoints, summed
from pgm_tfp.variational.frames import CompiledDensity, Frame, frames_of_modes, log_mixture
from pgm_tfp.variational.marginals import marginal_of
from pgm_tfp.variational.targets import Target

MOST_DIMENSIONS = 2
MOST_CELLS = {1: 2**17, 2: 2**21}  # by dimension, points of one grid times states
STEP = 0.25  # of s; halved until the evidence stays the same
SIDE, FARTHEST = 2.5, {1: 300.0, 2: 40.0}  # half the width of the grid in s, at first (t = 6), and by dimension at most
HUGE = 1e100  # values beyond which float64 may end before a moment does
NEAR = 1.0  # of s: at points nearer to the mode than this, a density must be a number
BORDER = 1e-15  # share of the mass that the border may have
MOMENT_BORDER = 1e-12  # share of a moment that the border may have
ORDERS = (1, 2)  # of the moments
NO_MOMENT = 1e-30  # share of the mass below which a frame's moments are not looked at
AGREEMENT = 1e-9  # nats between two steps
PASSES = 4
MOST_EVALUATIONS = 2**26  # densities, points times states, after which no grid becomes finer: some ten seconds
SEARCHES = 3  # of modes; each after the first begins where importance sampling finds too much mass
REPLICATES = 8  # of importance sampling, from which its standard error is computed
FEWEST_DRAWS, MOST_DRAWS = {1: 2**11, 2: 2**13}, 2**16  # in one replicate
WIDENING = 1.5
STANDARD_ERRORS = 4.0  # of importance sampling that its error counts
HEAVIEST = 64  # draws from which a search goes on

log = logging.getLogger(__name__)


class Quadrature(NamedTuple):
    """A posterior as weighted points.

    Attributes:
        target: the posterior that was integrated.
        points: values of the continuous variables in the model's own space, (points, columns).
        weights: their posterior probabilities, (points,).
        coarse: which points belong to the grids of twice the step, (points,).
        moments: the highest order of the moments of each column that are known, 0 to 2, (columns,).
        interface: p(x | evidence) for each joint state x of the target's interface, (states,).
        log_evidence: log p(evidence) with its error in nats; known where the error is at most 1e-4 nats.
        grid_error: the error that the grids alone have, in nats, for the modes that were found.
        confirmation: log p(evidence) by importance sampling, in nats.
    """

    target: Target
    points: np.ndarray
    weights: np.ndarray
    coarse: np.ndarray
    moments: np.ndarray
    interface: np.ndarray
    log_evidence: LogEvidence
    grid_error: float
    confirmation: Estimate

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
        found = marginal_of(self.target, variable, self.points, self.weights, self.interface)
        if not isinstance(found, WeightedPoints):
            return found
        columns, _ = self.target.columns_of(variable)
        return found._replace(moments=int(self.moments[columns].min()))

    def mean(self) -> np.ndarray:
        """Posterior means, (columns,); NaN where unknown, as where the mean does not exist."""
        return np.where(self.moments >= 1, self._moments(self.weights)[0], np.nan)

    def std(self) -> np.ndarray:
        """Posterior standard deviations, (columns,); NaN where unknown, as where the variance is infinite."""
        return np.where(self.moments >= 2, self._moments(self.weights)[1], np.nan)

    def mean_error(self) -> np.ndarray:
        """The errors of the means, (columns,); NaN where the mean is unknown."""
        return self._errors()[0]

    def std_error(self) -> np.ndarray:
        """The errors of the standard deviations, (columns,); NaN where the deviation is unknown."""
        return self._errors()[1]

    def _moments(self, weights: np.ndarray) -> np.ndarray:
        """Mean and standard deviation of each column, (2, columns)."""
        weights = weights / weights.sum()
        with np.errstate(over="ignore", invalid="ignore"):  # in columns whose moments are unknown
            mean = weights @ self.points
            return np.stack([mean, np.sqrt(weights @ (self.points - mean) ** 2)])

    def _errors(self) -> np.ndarray:
        """How much half the step changed each moment, and what the mass that may be missing could change."""
        fine, coarse = self._moments(self.weights), self._moments(np.where(self.coarse, self.weights, 0.0))
        missing = self.log_evidence.error * self.std() if self.converged else np.inf
        known = np.stack([self.moments >= 1, self.moments >= 2])
        return np.where(known, np.abs(fine - coarse) + np.where(np.isnan(missing), 0.0, missing), np.nan)


class Share(NamedTuple):
    """One frame's share of the mass.

    Attributes:
        u: points, (points, d).
        log_masses: log of each point's and state's mass, (points, states).
        error: by how much half the step changed log of all mass, in nats.
        coarse: which points belong to the grid of twice the step, (points,).
        vanished: whether each moment of each column has vanished at the border, (orders, columns).
    """

    u: np.ndarray
    log_masses: np.ndarray
    error: float
    coarse: np.ndarray
    vanished: np.ndarray


def quadrature(target: Target, points: np.ndarray | None = None) -> Quadrature:
    """The posterior of the hidden continuous variables, with the discrete variables summed out.

    Args:
        points: unconstrained coordinates of places where a mode may be, (n, d), such as draws of a surrogate.

    Raises:
        UserError: there are no hidden continuous variables or more than two unconstrained coordinates, a density is not
            a number, or no point is found where the evidence is possible.
    """
    if not 1 <= target.dimensions <= MOST_DIMENSIONS:
        raise UserError(
            f"quadrature is for one or two hidden continuous numbers, and there are {target.dimensions}; use nuts"
        )
    density = CompiledDensity(target)
    frames = frames_of_modes(density, points=points)
    if not frames:
        raise UserError("quadrature finds no point where the evidence is possible; check the evidence")
    for search in range(SEARCHES):
        shares, frames, grid_error = _integrated(density, frames)
        log_evidence = float(logsumexp([logsumexp(share.log_masses) for share in shares]))
        confirmation, heaviest = _importance_sampling(density, frames, grid_error)
        difference = abs(confirmation.value - log_evidence)
        confirmed = difference <= STANDARD_ERRORS * confirmation.standard_error + grid_error
        if confirmed or search == SEARCHES - 1:
            break
        more = frames_of_modes(density, frames, heaviest)
        if len(more) <= len(frames):
            break
        frames = more
    error = grid_error + difference + STANDARD_ERRORS * confirmation.standard_error
    if density.evaluations > MOST_EVALUATIONS:
        log.warning(
            "quadrature over %s has reached its limit of %.1g densities with %d modes; the error is %.1g nats",
            " and ".join(target.columns), MOST_EVALUATIONS, len(frames), error,
        )  # fmt: skip
    return _posterior(target, shares, log_evidence, error, grid_error, confirmation)


def _integrated(density: CompiledDensity, frames: list[Frame]) -> tuple[list[Share], list[Frame], float]:
    """The share of each frame, the frames at the shares' centres, and the error of log of all mass in nats."""
    before = np.inf
    for _ in range(PASSES):
        shares = [_share(density, frames, number) for number in range(len(frames))]
        masses = np.array([logsumexp(share.log_masses) for share in shares])
        log_evidence = float(logsumexp(masses))
        error = float(np.exp(masses - log_evidence) @ [share.error for share in shares])
        moved, before = abs(log_evidence - before), log_evidence
        frames = [_frame_of(share, frame) for share, frame in zip(shares, frames, strict=True)]
        if moved <= max(AGREEMENT, error) or density.evaluations > MOST_EVALUATIONS:
            break
    # Where the effort ended after one pass, there is no second set of frames to compare with.
    return shares, frames, error + (moved if np.isfinite(moved) else 0.0)


class Grid(NamedTuple):
    """The density on a grid in one frame's coordinates.

    Attributes:
        u: points, (points, d).
        log_masses: log of each point's and state's mass, (points, states).
        by_point: log of each point's mass, summed over states, with an axis for each coordinate.
        lost: log of the mass that may lie beyond the range of float64.
        coarse: which points belong to the grid of twice the step, (points,).
    """

    u: np.ndarray
    log_masses: np.ndarray
    by_point: np.ndarray
    lost: float
    coarse: np.ndarray


def _share(density: CompiledDensity, frames: list[Frame], number: int) -> Share:
    """Frame `number`'s share of the density, integrated in that frame's coordinates."""
    dimensions = len(frames[number].centre)
    lows, highs = np.full(dimensions, -SIDE), np.full(dimensions, SIDE)
    grid = _on_grid(density, frames, number, lows, highs, STEP)
    moments = _moments_by_point(density.target, grid)
    while _widened([(grid.by_point, BORDER), *((each, MOMENT_BORDER) for each in moments)], lows, highs):
        grid = _on_grid(density, frames, number, lows, highs, STEP)
        moments = _moments_by_point(density.target, grid)
    huge = _moments_by_point(density.target, grid, HUGE)
    border = [
        max(_log_border(each), logsumexp(far)) <= logsumexp(each) + np.log(MOMENT_BORDER)
        for each, far in zip(moments, huge, strict=True)
    ]
    vanished = np.array(border).reshape(len(ORDERS), -1)
    step, total = STEP, logsumexp(grid.log_masses)
    # A frame with little of the mass changes only the last digits of the sum, so it may be less precise.
    allowed = AGREEMENT * np.exp(max(frame.log_mass for frame in frames) - frames[number].log_mass)
    while True:
        step, before = step / 2, total
        grid = _on_grid(density, frames, number, lows, highs, step)
        total = logsumexp(grid.log_masses)
        error = abs(total - before) if np.isfinite(total) else 0.0
        too_many = grid.log_masses.size * 2**dimensions > MOST_CELLS[dimensions]
        if error < allowed or too_many or density.evaluations > MOST_EVALUATIONS:
            beyond = np.log1p(np.exp(grid.lost - total)) if np.isfinite(grid.lost) else 0.0
            return Share(grid.u, grid.log_masses, float(error + beyond), grid.coarse, vanished)


def _widened(quantities: Sequence[tuple[np.ndarray, float]], lows: np.ndarray, highs: np.ndarray) -> bool:
    """Move each side of the grid whose border has too much outwards, in place. Returns whether any side moved.

    Args:
        quantities: logs of a quantity at each point, with an axis for each coordinate, and the share of its sum that a
            side of the border may have.
    """
    widened = False
    for axis in range(len(lows)):
        for end, ends in ((0, lows), (-1, highs)):
            excess = any(
                logsumexp(logs.take(end, axis)) > logsumexp(logs) + np.log(share) for logs, share in quantities
            )
            if excess and abs(ends[axis]) < FARTHEST[len(lows)]:
                ends[axis] += np.sign(ends[axis]) * max(1.0, np.round(0.25 * abs(ends[axis])))
                widened = True
    return widened


def _log_border(logs: np.ndarray) -> float:
    """Log of the sum over the heaviest side of a grid, from logs with an axis for each coordinate."""
    return max(float(logsumexp(logs.take(end, axis))) for axis in range(logs.ndim) for end in (0, -1))


def _moments_by_point(target: Target, grid: Grid, least: float = 0.0) -> list[np.ndarray]:
    """Log of |value|^order times the mass at each point, by order and column; axes as in `Grid.by_point`.

    Args:
        least: values nearer to zero than this do not count.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        sizes = np.log(np.abs(target.model_values(grid.u)))  # (points, states or 1, columns)
        # Where float64 has no value any more, there is no mass either.
        sizes = np.where(np.isfinite(sizes) & (sizes >= np.log(least)), sizes, -np.inf)
    return [
        logsumexp(grid.log_masses + order * sizes[..., column], 1).reshape(grid.by_point.shape)
        for order in ORDERS
        for column in range(sizes.shape[-1])
    ]


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
        density.evaluations += len(u) * len(frames)  # the normals of all frames take as long as so many densities
        logs = logs + (frame.log_density(u) - log_mixture(frames, u))[:, None]
    # du = |L| prod cosh(s) ds
    logs += (np.log(np.cosh(s)).sum(1) + frame.log_width + len(axes) * np.log(step))[:, None]
    shape = tuple(map(len, axes))
    by_point = logsumexp(logs, 1).reshape(shape)
    coarse = np.ones(shape, bool)
    for number, axis in enumerate(axes):
        coarse &= _is_coarse(axis, step).reshape([-1 if other == number else 1 for other in range(len(axes))])
    return Grid(u, logs, by_point, _log_lost(by_point, failed.reshape(shape), step), coarse.ravel())


def _is_coarse(axis: np.ndarray, step: float) -> np.ndarray:
    """Which of the places s along an axis, multiples of a step, are also multiples of twice the step."""
    return np.rint(axis / step).astype(int) % 2 == 0


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


def _importance_sampling(
    density: CompiledDensity, frames: Sequence[Frame], error: float
) -> tuple[Estimate, np.ndarray]:
    """log p(evidence) by importance sampling from quasi-random points, and the points that weigh most, (n, d).

    Half of the points come from wide t-distributions in the frames. The other half come from a Cauchy distribution as
    wide as the prior (a defensive mixture, Hesterberg 1995), and may fall on modes that no search has found. Scrambled
    Sobol points fill each proposal evenly, and replicates with other scrambles give the standard error (Owen 1997). The
    number of points is multiplied by four until the standard error is small compared with `KNOWN` or with `error`.
    """
    proposals, shares = _proposals(density.target, frames)
    random, draws = np.random.default_rng(0), FEWEST_DRAWS[len(frames[0].centre)]
    while True:
        replicates = [_log_terms(density, proposals, shares, draws, random) for _ in range(REPLICATES)]
        values = np.array([logsumexp(terms) for _, terms in replicates])
        highest = values.max()
        mean = np.exp(values - highest).mean()
        # d log(mean) = d mean / mean
        spread = np.exp(values - highest).std(ddof=1) / np.sqrt(REPLICATES) / mean
        enough = STANDARD_ERRORS * spread < max(error, 0.1 * KNOWN)
        if enough or draws >= MOST_DRAWS or density.evaluations > MOST_EVALUATIONS:
            break
        draws *= 4
    u, terms = (np.concatenate(parts) for parts in zip(*replicates, strict=True))
    return Estimate(float(highest + np.log(mean)), float(spread)), u[np.argsort(-terms)[:HEAVIEST]]


class HeavyTailed(NamedTuple):
    """A distribution on the line by two functions that need no iteration.

    Attributes:
        quantile: of probabilities (n,).
        log_density: at points (n,), in nats.
    """

    quantile: Callable[[np.ndarray], np.ndarray]
    log_density: Callable[[np.ndarray], np.ndarray]


# The t-distribution with two degrees of freedom: x = (2 p - 1) / sqrt(2 p (1 - p)), density (2 + x^2)^(-3/2)
STUDENT = HeavyTailed(lambda p: (2 * p - 1) / np.sqrt(2 * p * (1 - p)), lambda x: -1.5 * np.log(2 + x**2))
# The Cauchy distribution: x = tan(pi (p - 1/2)), density 1 / (pi (1 + x^2))
CAUCHY = HeavyTailed(lambda p: np.tan(np.pi * (p - 0.5)), lambda x: -np.log(np.pi * (1 + x**2)))


def _proposals(target: Target, frames: Sequence[Frame]) -> tuple[list[tuple[Frame, HeavyTailed]], np.ndarray]:
    """The proposals of importance sampling, each a distribution in a frame, and their shares of the points."""
    heaviest = max(frame.log_mass for frame in frames)
    masses = np.maximum(np.exp([frame.log_mass - heaviest for frame in frames]), 0.02)
    proposals = [
        *((frame._replace(scale=WIDENING * frame.scale), STUDENT) for frame in frames),
        (Frame(target.prior_median, np.diag(target.prior_spread), 0.0), CAUCHY),
    ]
    return proposals, np.array([*(0.5 * masses / masses.sum()), 0.5])


def _log_terms(
    density: CompiledDensity,
    proposals: Sequence[tuple[Frame, HeavyTailed]],
    shares: np.ndarray,
    draws: int,
    random: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Points u (n, d) from the proposals, and logs of the terms whose sum estimates p(evidence), (n,).

    The terms are weighted by the power heuristic (Veach & Guibas 1995): where one proposal places many more points than
    another, the few points of the other hardly count, and add no noise.
    """
    dimensions = len(proposals[0][0].centre)
    sizes = 2 ** np.maximum(np.ceil(np.log2(shares * draws)), 4).astype(int)  # Sobol points are even in powers of two
    parts = []
    for (frame, kind), size in zip(proposals, sizes, strict=True):
        even = qmc.Sobol(dimensions, rng=random).random_base2(int(np.log2(size)))
        parts.append(frame.centre + kind.quantile(np.clip(even, 1e-15, 1 - 1e-15)) @ frame.scale.T)
    u = np.concatenate(parts)
    # log(n_k q_k(u)) of every proposal at every point
    expected = np.stack(
        [
            np.log(size) + kind.log_density(frame.coordinates(u)).sum(1) - frame.log_width
            for (frame, kind), size in zip(proposals, sizes, strict=True)
        ]
    )
    logs = density.logs(u)
    logs[~(logs < np.inf)] = -np.inf
    own = expected[np.repeat(np.arange(len(sizes)), sizes), np.arange(len(u))]
    # The power heuristic: w_k = (n_k q_k)^2 / sum_j (n_j q_j)^2, and the term is w_k p / (n_k q_k)
    return u, logsumexp(logs, 1) + own - logsumexp(2.0 * expected, 0)


def _posterior(
    target: Target,
    shares: list[Share],
    log_evidence: float,
    error: float,
    grid_error: float,
    confirmation: Estimate,
) -> Quadrature:
    u, coarse = (np.concatenate([getattr(share, name) for share in shares]) for name in ("u", "coarse"))
    masses = np.exp(np.concatenate([share.log_masses for share in shares]) - log_evidence)
    # Moments are sums of the shares', so they are known where they have vanished at the border of every share that
    # could matter.
    light = np.array([logsumexp(share.log_masses) - log_evidence < np.log(NO_MOMENT) for share in shares])
    vanished = np.stack([share.vanished for share in shares])[~light].all(0)
    values = target.model_values(u)
    kept = (masses.sum(1) > 0.0) & np.isfinite(values).all((1, 2))
    masses, values, coarse = masses[kept], values[kept], coarse[kept]
    if values.shape[1] == 1:
        points, weights = values[:, 0], masses.sum(1)
    else:
        points, weights, coarse = (
            values.reshape(-1, values.shape[2]),
            masses.ravel(),
            np.repeat(coarse, masses.shape[1]),
        )
    interface = masses.sum(0)
    weights, interface = weights / weights.sum(), interface / interface.sum()
    moments = np.cumprod(vanished, 0).sum(0)
    known = summed(log_evidence, error, target.tail)
    return Quadrature(target, points, weights, coarse, moments, interface, known, grid_error, confirmation)
