"""How far a set of samples lies from a set of pictures, both given as features: Frechet and kernel distance.

Frechet distance fits a Gaussian to each set (FID where the features are Inception's). Its estimate is
too large on few pictures, the more so the fewer, and by how much depends on the
distributions; no unbiased estimate exists (Binkowski et al. 2018, arXiv 1801.01401, section 4 and appendix D).

Kernel distance (KID, the same section) is the squared maximum mean discrepancy

    MMD^2 = E k(x, x') + E k(y, y') - 2 E k(x, y),    k(x, y) = (x . y / d + 1)^3

which compares means, variances and skewness, fits nothing, and has an unbiased estimate (their eq. 4;
Gretton et al. 2012, Lemma 6) whose error can be estimated with it.
"""

from typing import NamedTuple

import numpy as np

from common.errors import UserError

FEWEST = 3  # the jackknife leaves one out, and a pair must remain
BLOCK = 1024  # rows of the kernel matrix held at a time: 80 MB against 10,000 pictures


class KernelDistance(NamedTuple):
    """Estimated MMD^2, which may fall below zero, and the standard error of the estimate."""

    distance: float
    standard_error: float


def frechet_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Squared Frechet distance between the Gaussians fitted to two sets of features.

    Heusel et al. 2017, arXiv 1706.08500, eq. 6. Biased upwards on few pictures: compare
    distances only where the sets are as large.

    Args:
        first, second: (n, d) and (m, d), at least three of each.

    Raises:
        UserError: too few pictures.
    """
    first, second = _as_features(first), _as_features(second)
    difference = first.mean(axis=0) - second.mean(axis=0)
    covariance, other = (np.cov(features, rowvar=False).reshape(2 * features.shape[1:]) for features in (first, second))
    root = _square_root(covariance)
    # C1 C2 has the eigenvalues of C1^1/2 C2 C1^1/2, which is symmetric; rounding may push those at zero below it.
    eigenvalues = np.maximum(np.linalg.eigvalsh(root @ other @ root), 0)
    # |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^1/2)
    squared = difference @ difference + np.trace(covariance + other) - 2 * np.sum(np.sqrt(eigenvalues))
    return float(max(squared, 0))


def kernel_distance(first: np.ndarray, second: np.ndarray) -> KernelDistance:
    """Unbiased estimate of MMD^2 between two independent sets of features, with its standard error.

    The error is the jackknife's: how the estimate varies as each picture in turn is left out, of one set and then
    of the other. The jackknife errs upwards (Efron & Stein 1981, Annals of Statistics 9): where both
    sets come from one distribution, it is about sqrt(2) times too large.

    Args:
        first, second: (n, d) and (m, d), at least three of each.

    Raises:
        UserError: too few pictures.
    """
    first, second = _as_features(first), _as_features(second)
    n, m = len(first), len(second)
    to_second, to_first = _kernel_sums(first, second)
    among_first, among_second = _sums_among(first), _sums_among(second)
    # sum_{i != j} k(x_i, x_j) / n (n - 1) + sum_{i != j} k(y_i, y_j) / m (m - 1) - 2 sum_{i, j} k(x_i, y_j) / n m
    distance = among_first.sum() / (n * (n - 1)) + among_second.sum() / (m * (m - 1)) - 2 * to_second.sum() / (n * m)
    # (n - 1) / n sum_i (U_i - mean U)^2 for the first set, and the same for the second
    variance = (n - 1) * np.var(_leaving_one_out(among_first, to_second, m))
    variance += (m - 1) * np.var(_leaving_one_out(among_second, to_first, n))
    return KernelDistance(float(distance), float(np.sqrt(variance)))


def _as_features(features: np.ndarray) -> np.ndarray:
    """The features in float64.

    Raises:
        UserError: too few pictures.
    """
    if len(features) < FEWEST:
        raise UserError(f"too few pictures to compare ({len(features)}); pass --data with at least {FEWEST} to a set")
    return np.asarray(features, np.float64)


def _square_root(covariance: np.ndarray) -> np.ndarray:
    """The symmetric square root of a covariance (d, d)."""
    eigenvalues, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(eigenvalues, 0)) @ vectors.T


def _kernel_sums(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """sum_j k(x_i, y_j) for each i, (n,), and sum_i k(x_i, y_j) for each j, (m,)."""
    rows, columns = [], np.zeros(len(second))
    for block in np.split(first, range(BLOCK, len(first), BLOCK)):
        # (x . y / d + 1)^3
        kernel = (block @ second.T / first.shape[1] + 1) ** 3
        rows.append(kernel.sum(axis=1))
        columns += kernel.sum(axis=0)
    return np.concatenate(rows), columns


def _sums_among(features: np.ndarray) -> np.ndarray:
    """sum_{j != i} k(x_i, x_j) for each i, (n,)."""
    sums, _ = _kernel_sums(features, features)
    return sums - (np.sum(features**2, axis=1) / features.shape[1] + 1) ** 3


def _leaving_one_out(among: np.ndarray, across: np.ndarray, others: int) -> np.ndarray:
    """The estimate without x_i, for each i, (n,), less what only the other set has a part in.

    Args:
        among: sum_{j != i} k(x_i, x_j), (n,).
        across: sum_j k(x_i, y_j), (n,).
        others: m, how many y there are.
    """
    n = len(among)
    return (among.sum() - 2 * among) / ((n - 1) * (n - 2)) - 2 * (across.sum() - across) / ((n - 1) * others)
