"""Bins of equal width, and the entropy and mutual information of discrete values. All information is in nats.

The bins are those of the study (Locatello et al. 2019, arXiv 1811.12359): each code dimension is cut into bins of equal
width between its smallest and its largest value. So one outlier moves the edges, and all other values fall into few
bins.

Probabilities are estimated by counts. For this reason the estimated mutual information of two independent variables is
about (bins - 1)(values - 1) / 2n instead of 0 (Miller 1955; Roulston 1999, Physica D 125).
"""

import numpy as np
import scipy.stats

BINS = 20  # Locatello et al. 2019
LEAST_SHARE = 0.1  # of a factor's entropy; a latent with a smaller share does not carry the factor


def binned(codes: np.ndarray, bins: int = BINS) -> np.ndarray:
    """The number of the bin of each code, from 1 to `bins`. Each dimension has its own bins.

    A value on an edge belongs to the bin above the edge. The largest value belongs to the last bin. All values of a
    constant dimension fall into one bin.

    Args:
        codes: (n, D).

    Returns:
        (n, D) int64.

    Raises:
        ValueError: `bins` is less than one.
    """
    if bins < 1:
        raise ValueError(f"{bins} bins; at least one is needed")
    codes = np.asarray(codes, np.float64)
    edges = np.linspace(codes.min(axis=0), codes.max(axis=0), bins + 1)[:-1]
    columns = [np.digitize(code, lower) for code, lower in zip(codes.T, edges.T, strict=True)]
    return np.stack(columns, axis=1).astype(np.int64)


def entropy(values: np.ndarray) -> float:
    """H = - sum_v p(v) log p(v) of the values (n,), in nats; p are the relative frequencies."""
    return _entropy(np.unique(values, return_inverse=True)[1])


def mutual_information(first: np.ndarray, second: np.ndarray) -> float:
    """I = sum_ab p(a, b) log p(a, b) / p(a) p(b) of two integer arrays (n,), in nats; p are relative frequencies."""
    return float(mutual_information_matrix(np.reshape(first, (-1, 1)), np.reshape(second, (-1, 1)))[0, 0])


def mutual_information_matrix(binned_codes: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """The mutual information of every code dimension with every factor.

    Args:
        binned_codes: (n, D) int.
        factors: (n, K) int.

    Returns:
        (D, K), in nats.
    """
    codes, columns = (
        [np.unique(column, return_inverse=True)[1] for column in np.transpose(table)]
        for table in (binned_codes, factors)
    )
    # I(a; b) = H(a) + H(b) - H(a, b). In H(a, b), each pair of values has a number of its own.
    joint = [[_entropy(code * (factor.max() + 1) + factor) for factor in columns] for code in codes]
    alone = np.add.outer([_entropy(code) for code in codes], [_entropy(factor) for factor in columns])
    return np.maximum(alone - joint, 0.0)  # rounding may leave less than zero


def _entropy(numbers: np.ndarray) -> float:
    """The entropy of numbers 0, 1, ... (n,) by their counts, in nats."""
    return float(scipy.stats.entropy(np.bincount(numbers)))


def information_shares(codes: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """The share of each factor's entropy that each latent carries, I(z_j; v_k) / H(v_k), (D, K) from 0 to 1.

    Latents are cut into 20 bins. Counts overestimate the mutual information by (bins - 1)(values - 1) / 2n nats on
    average (Miller 1955); the function subtracts this bias.

    Args:
        codes: (n, D).
        levels: (n, K) int.
    """
    information = mutual_information_matrix(binned(codes), levels)
    values = np.array([len(np.unique(column)) for column in levels.T])
    bias = (BINS - 1) * (values - 1) / (2 * len(codes))
    entropies = np.array([entropy(column) for column in levels.T])
    return np.maximum(information - bias, 0.0) / entropies
