"""Discrete information: equal-width bins, entropy, mutual information. All in nats.

Binning is the study's (Locatello et al. 2019, arXiv 1811.12359): each code dimension is cut into bins of equal width
between its own smallest and largest value, so a single outlier moves the edges and flattens the rest into few bins.

With counts in place of probabilities, the mutual information of two independent variables comes out at
about (bins - 1)(values - 1) / 2n rather than 0 (Miller 1955; Roulston 1999, Physica D 125).
"""

import numpy as np
import scipy.stats
from sklearn.metrics import mutual_info_score

BINS = 20  # Locatello et al. 2019


def binned(codes: np.ndarray, bins: int = BINS) -> np.ndarray:
    """The bin of each code, 1 to `bins`, dimension by dimension.

    A value on an edge belongs to the bin above it, the largest one to the last bin. A constant dimension has no
    width to cut: it falls into one bin.

    Args:
        codes: (n, D).

    Returns:
        (n, D) int64.

    Raises:
        ValueError: fewer than one bin.
    """
    if bins < 1:
        raise ValueError(f"{bins} bins; at least one is needed")
    codes = np.asarray(codes, np.float64)
    edges = np.linspace(codes.min(axis=0), codes.max(axis=0), bins + 1)[:-1]
    columns = [np.digitize(code, lower) for code, lower in zip(codes.T, edges.T, strict=True)]
    return np.stack(columns, axis=1).astype(np.int64)


def entropy(values: np.ndarray) -> float:
    """H = - sum_v p(v) log p(v) of the values (n,), in nats, with p their frequencies."""
    _, counts = np.unique(values, return_counts=True)
    return float(scipy.stats.entropy(counts))


def mutual_information(first: np.ndarray, second: np.ndarray) -> float:
    """I = sum_ab p(a, b) log p(a, b) / p(a) p(b) of two integer arrays (n,), in nats, with p their frequencies."""
    return float(mutual_info_score(first, second))


def mutual_information_matrix(binned_codes: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """The mutual information of every code dimension with every factor.

    Args:
        binned_codes: (n, D) int.
        factors: (n, K) int.

    Returns:
        (D, K), in nats.
    """
    codes, columns = np.transpose(binned_codes), np.transpose(factors)
    return np.array([[mutual_information(code, factor) for factor in columns] for code in codes])
