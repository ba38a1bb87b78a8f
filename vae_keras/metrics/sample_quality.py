"""Frechet distance and kernel distance between a set of samples and a set of images, both given as features.

The Frechet distance fits a Gaussian to each set. With Inception features it is the FID. Its estimate is too large on
few images, and the bias grows as the number of images falls. The bias also depends on the distributions, and no
unbiased estimate exists (Binkowski et al. 2018, arXiv 1801.01401, section 4 and appendix D).

The kernel distance (KID, same section) is the squared maximum mean discrepancy

    MMD^2 = E k(x, x') + E k(y, y') - 2 E k(x, y),    k(x, y) = (x . y / d + 1)^3

The kernel distance compares means, variances and skewness, and fits no distribution. It has an unbiased estimate (their
eq. 4; Gretton et al. 2012, Lemma 6), and the standard error can be estimated from the same data.
"""

import numpy as np

from common.errors import UserError
from common.estimates import Estimate

FEWEST = 3  # the jackknife leaves out one image, and at least one pair must remain
BLOCK = 1024  # rows of the kernel matrix in memory at one time: 80 MB for 10,000 images


def frechet_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Squared Frechet distance between the Gaussians fitted to two sets of features.

    Heusel et al. 2017, arXiv 1706.08500, eq. 6. The estimate is too large on few images: compare distances only if the
    sets have the same sizes.

    Args:
        first, second: (n, d) and (m, d), at least three of each.

    Raises:
        UserError: a set has fewer than three images.
    """
    first, second = _as_features(first), _as_features(second)
    difference = first.mean(axis=0) - second.mean(axis=0)
    covariance, other = (np.cov(features, rowvar=False).reshape(2 * features.shape[1:]) for features in (first, second))
    root = _square_root(covariance)
    # C1 C2 has the same eigenvalues as C1^1/2 C2 C1^1/2, which is symmetric. Rounding may make a zero eigenvalue
    # negative.
    eigenvalues = np.maximum(np.linalg.eigvalsh(root @ other @ root), 0)
    # |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^1/2)
    squared = difference @ difference + np.trace(covariance + other) - 2 * np.sum(np.sqrt(eigenvalues))
    return float(max(squared, 0))


def kernel_distance(first: np.ndarray, second: np.ndarray) -> Estimate:
    """Unbiased estimate of MMD^2 between two independent sets of features, with its standard error.

    The standard error is computed by the jackknife: leave out each image in turn, first of one set, then of the other,
    and measure how the estimate varies. The jackknife overestimates the error (Efron & Stein 1981, Annals of Statistics
    9): if both sets come from the same distribution, the standard error is about sqrt(2) times too large.

    Args:
        first, second: (n, d) and (m, d), at least three of each.

    Raises:
        UserError: a set has fewer than three images.
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
    return Estimate(float(distance), float(np.sqrt(variance)))


def _as_features(features: np.ndarray) -> np.ndarray:
    """The features in float64.

    Raises:
        UserError: the set has fewer than three images.
    """
    if len(features) < FEWEST:
        raise UserError(
            f"too few images to compare ({len(features)}); each set needs at least {FEWEST}; pass more with --data"
        )
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
    """The estimate without x_i for each i, (n,), without the term that depends only on the other set.

    Args:
        among: sum_{j != i} k(x_i, x_j), (n,).
        across: sum_j k(x_i, y_j), (n,).
        others: m, the number of y.
    """
    n = len(among)
    return (among.sum() - 2 * among) / ((n - 1) * (n - 2)) - 2 * (across.sum() - across) / ((n - 1) * others)
