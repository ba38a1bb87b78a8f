"""Total correlation of a Gaussian with the covariance of the codes. It needs no factors.

Let C be the covariance of the codes and R their correlations. The total correlation is the KL divergence between
N(0, C) and the product of its marginals, in nats:

    TC = 1/2 (sum_j log C_jj - log det C) = - 1/2 log det R

(Locatello et al. 2019, arXiv 1811.12359, on 10,000 codes). A value of 0 means that the codes are uncorrelated, not that
they are independent: the score does not see any other dependence. For n rows of D independent Gaussian codes, the
estimate is about D (D - 1) / 4n.
"""

import numpy as np

from vae_keras.metrics.pool import checked_codes


def gaussian_total_correlation(codes: np.ndarray) -> float:
    """Total correlation of the Gaussian with the covariance of codes (n, D), in nats, from 0 up.

    Constant dimensions are dropped, because they are independent of all others. The score is infinite if the covariance
    of the remaining dimensions is singular up to rounding. This happens if one dimension is a linear function of
    others, or if there are no more rows than dimensions.

    Raises:
        ValueError: `checked_codes` refuses the input.
    """
    codes = checked_codes(codes)
    codes = codes[:, np.ptp(codes, axis=0) > 0]
    if codes.shape[1] < 2:
        return 0.0
    correlations = np.corrcoef(codes, rowvar=False)
    if np.linalg.matrix_rank(correlations, hermitian=True) < len(correlations):
        return float("inf")
    # - 1/2 log det R; for uncorrelated codes, rounding may give a value below zero
    return float(max(-0.5 * np.linalg.slogdet(correlations).logabsdet, 0))
