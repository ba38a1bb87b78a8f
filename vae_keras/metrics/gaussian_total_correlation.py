"""Total correlation of codes as if they were Gaussian: how far from independent their covariance makes them.

The KL divergence between N(0, C), with C the covariance of the codes, and the product of its margins, in nats:

    TC = 1/2 (sum_j log C_jj - log det C) = - 1/2 log det R

with R the correlations (Locatello et al. 2019, arXiv 1811.12359, on 10,000 codes). It needs no factors. 0 says
uncorrelated, not independent; dependence beyond the covariance goes unseen. From n rows of D independent Gaussian
codes it comes out at about D (D - 1) / 4n.
"""

import numpy as np

from vae_keras.metrics.pool import checked_codes


def gaussian_total_correlation(codes: np.ndarray) -> float:
    """Total correlation of the Gaussian with the covariance of codes (n, D), in nats, from 0 up.

    Constant dimensions are dropped: they are independent of everything. It is infinite where the covariance of the
    rest is singular to rounding, as with a dimension that others give linearly, or no more rows than dimensions.

    Raises:
        ValueError: input that `checked_codes` refuses.
    """
    codes = checked_codes(codes)
    codes = codes[:, np.ptp(codes, axis=0) > 0]
    if codes.shape[1] < 2:
        return 0.0
    correlations = np.corrcoef(codes, rowvar=False)
    if np.linalg.matrix_rank(correlations, hermitian=True) < len(correlations):
        return float("inf")
    # - 1/2 log det R; rounding may push an uncorrelated one below zero
    return float(max(-0.5 * np.linalg.slogdet(correlations).logabsdet, 0))
