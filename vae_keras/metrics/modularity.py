"""Modularity: does each code dimension hold one factor at most?

Ridgeway & Mozer 2018, arXiv 1802.05312, section 3. With m_k = I(c; v_k) the mutual information of a dimension with
each factor, an ideal dimension has one m_k above 0. Its modularity is one minus its distance from that ideal:

    1 - (sum_k m_k^2 - max_k m_k^2) / (max_k m_k^2 (K - 1))

and the score is the mean over dimensions. As in the study (Locatello et al. 2019, arXiv 1811.12359) the
information is that of posterior means in 20 bins of equal width, over 10,000 codes, and a dimension without
any has 0, so many unused latents make it low.

It is MIG's complement: several dimensions may hold one factor, but a dimension may not hold two. Where MIG is 1
because one dimension holds two factors alone, modularity is 0 if there are only these two.

Counting makes it too high where it should be low, since the noise of m_k always has a largest. Codes that tell all
factors alike lose that with more rows: ten factors of ten values, mixed up within each row, come to 0.35 on 2,000
rows, 0.18 on 20,000. Codes that tell nothing keep it, about 0.35 on any number of rows: there is only noise to compare.
"""

import numpy as np

from vae_keras.metrics.discrete import BINS, binned, mutual_information_matrix
from vae_keras.metrics.pool import checked


def modularity(codes: np.ndarray, factors: np.ndarray, bins: int = BINS) -> float:
    """Modularity of codes (n, D) float and factors (n, K) int, at least two factors; from 0 to 1.

    Raises:
        ValueError: input that `checked` refuses.
    """
    codes, factors = checked(codes, factors, fewest_factors=2)
    return modularity_from_information(mutual_information_matrix(binned(codes, bins), factors))


def modularity_from_information(matrix: np.ndarray) -> float:
    """Modularity of a matrix of mutual information (codes x factors), in any unit; a row of zeros has 0.

    Raises:
        ValueError: not a matrix of finite numbers from 0 up with at least two factors.
    """
    matrix = np.asarray(matrix, np.float64)
    if matrix.ndim != 2 or len(matrix) == 0 or matrix.shape[1] < 2:
        raise ValueError(f"information of shape {matrix.shape}; codes x at least two factors are needed")
    if not (np.isfinite(matrix) & (matrix >= 0)).all():
        raise ValueError("information holds values that are negative or not finite")
    largest = matrix.max(axis=1)
    alive = largest > 0
    # Divided by the largest first: the squares of small numbers would vanish.
    share = (matrix[alive] / largest[alive, None]) ** 2
    # 1 - (sum_k m_k^2 - max_k m_k^2) / (max_k m_k^2 (K - 1))
    return float(np.sum(1 - (share.sum(axis=1) - 1) / (matrix.shape[1] - 1)) / len(matrix))
