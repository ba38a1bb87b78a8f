"""Interventional robustness: when one factor is fixed, how much do the other factors still change a code?

Suter et al. 2019, arXiv 1811.00007 (IRS). Let c be a code dimension and v a factor. For each value of v, take a
quantile of abs(c - E[c | v]) over the rows with this value. The mean of these quantiles over the values is the
deviation that remains when v is fixed. The robustness of c given v compares it with the largest deviation abs(c - E[c])
over all rows:

    IRS(c, v) = 1 - mean_value Q_0.99(abs(c - E[c | value])) / max abs(c - E[c])

Take the largest robustness of each dimension over the factors. The score is the mean over dimensions, each weighted by
its largest deviation. Suter et al. use the maximum as the quantile. The study (Locatello et al. 2019, arXiv 1811.12359)
uses the 99th percentile, over 10,000 codes, with factors in 20 bins; this module does the same. A factor with at most
20 values is not binned.

Codes without information do not score 0, because the 99th percentile is smaller than the maximum (about 0.35 for 10,000
Gaussian codes). One outlier raises the score, because the outlier changes only the largest deviation.
"""

import numpy as np

from vae_keras.metrics.discrete import BINS, binned
from vae_keras.metrics.pool import checked

QUANTILE = 0.99


def interventional_robustness(codes: np.ndarray, factors: np.ndarray, bins: int = BINS) -> float:
    """IRS of codes (n, D) float and factors (n, K) int, at most 1; 0 if every code is constant.

    The score may be slightly below 0 for codes that have few values and no information, because the means for each
    value of a factor vary by chance.

    Constant dimensions are dropped: no factor changes them, but only because they carry no information.

    Args:
        bins: number of bins of equal width for a factor that has more values than this.

    Raises:
        ValueError: `checked` refuses the input.
    """
    codes, factors = checked(codes, factors)
    codes = codes[:, np.ptp(codes, axis=0) > 0]
    if codes.shape[1] == 0:
        return 0.0
    # max abs(c - E[c])
    largest = np.max(np.abs(codes - codes.mean(axis=0)), axis=0)
    left = np.stack([_deviation_left(codes, _levels(factor, bins)) for factor in factors.T])
    robustness = np.max(1 - left / largest, axis=0)
    return float(np.average(robustness, weights=largest))


def _levels(factor: np.ndarray, bins: int) -> np.ndarray:
    """The factor (n,), cut into bins if it has more than `bins` values."""
    return factor if len(np.unique(factor)) <= bins else binned(factor[:, None], bins)[:, 0]


def _deviation_left(codes: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """mean_value Q_0.99(abs(c - E[c | value])), (D,)."""
    groups = [codes[factor == value] for value in np.unique(factor)]
    deviations = [np.quantile(np.abs(group - group.mean(axis=0)), QUANTILE, axis=0) for group in groups]
    return np.mean(deviations, axis=0)
