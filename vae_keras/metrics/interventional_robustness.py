"""Interventional robustness: with one factor held, how far do the others still move a code?

Suter et al. 2019, arXiv 1811.00007 (IRS). For a code dimension c and a factor v, the deviation that is left when v
is held is a quantile of abs(c - E[c | v]) under each value of v, averaged over the values; divided by the
largest deviation abs(c - E[c]) over all rows, and taken from 1, it is the robustness of c given v:

    IRS(c, v) = 1 - mean_value Q_0.99(abs(c - E[c | value])) / max abs(c - E[c])

The score is the largest over factors, averaged over dimensions weighted by their largest deviation. Theirs takes
the maximum; the study (Locatello et al. 2019, arXiv 1811.12359) the 99th percentile, over 10,000 codes, with factors in
20 bins: a factor of at most 20 values is left as it is.

It is not 0 for codes that say nothing: a percentile lies below a maximum (10,000 Gaussian codes: about 0.35). And one
outlier, which only the largest deviation sees, raises it.
"""

import numpy as np

from vae_keras.metrics.discrete import BINS, binned
from vae_keras.metrics.pool import checked

QUANTILE = 0.99


def interventional_robustness(codes: np.ndarray, factors: np.ndarray, bins: int = BINS) -> float:
    """IRS of codes (n, D) float and factors (n, K) int, at most 1; 0 where every code is constant.

    It may fall a little below 0 where codes of few values say nothing: means under a value vary by chance.

    Constant dimensions are dropped: they are robust to everything because they say nothing.

    Args:
        bins: of equal width, that a factor of more values is cut into.

    Raises:
        ValueError: input that `checked` refuses.
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
    """A factor (n,) with at most `bins` values."""
    return factor if len(np.unique(factor)) <= bins else binned(factor[:, None], bins)[:, 0]


def _deviation_left(codes: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """mean_value Q_0.99(abs(c - E[c | value])), (D,)."""
    groups = [codes[factor == value] for value in np.unique(factor)]
    deviations = [np.quantile(np.abs(group - group.mean(axis=0)), QUANTILE, axis=0) for group in groups]
    return np.mean(deviations, axis=0)
