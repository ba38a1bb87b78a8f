"""Modularity: does each code dimension depend on one factor at most?

Ridgeway & Mozer 2018, arXiv 1802.05312, section 3. Let m_k = I(c; v_k) be the mutual information of a dimension c with
factor k. An ideal dimension has only one m_k above 0. The modularity of a dimension is one minus its distance from this
ideal:

    1 - (sum_k m_k^2 - max_k m_k^2) / (max_k m_k^2 (K - 1))

The score is the mean over dimensions. As in the study (Locatello et al. 2019, arXiv 1811.12359), the information is
computed from 10,000 posterior means in 20 bins of equal width. A dimension without any information has modularity 0, so
many unused latents make the score low.

Modularity complements MIG: several dimensions may encode one factor, but no dimension should encode two. If there are
two factors and one dimension encodes both, MIG may be 1, and modularity is 0.

Because information is estimated by counts, a score that should be low is too high: the noise in the m_k always has a
largest value. If the codes tell equally much about all factors, this bias falls with more rows: ten factors of ten
values, shuffled within each row, score 0.35 on 2,000 rows and 0.18 on 20,000. If the codes carry no information, the
bias stays: the score is about 0.35 for any number of rows, because all m_k are noise.
"""

import numpy as np

from vae_keras.metrics.discrete import BINS, binned, mutual_information_matrix
from vae_keras.metrics.pool import checked


def modularity(codes: np.ndarray, factors: np.ndarray, bins: int = BINS) -> float:
    """Modularity of codes (n, D) float and factors (n, K) int, at least two factors; from 0 to 1.

    Raises:
        ValueError: `checked` refuses the input.
    """
    codes, factors = checked(codes, factors, fewest_factors=2)
    return modularity_from_information(mutual_information_matrix(binned(codes, bins), factors))


def modularity_from_information(matrix: np.ndarray) -> float:
    """Modularity of a matrix of mutual information (codes x factors), in any unit. A row of zeros has modularity 0.

    Raises:
        ValueError: the argument is not a matrix of finite numbers >= 0 with at least two factors.
    """
    matrix = np.asarray(matrix, np.float64)
    if matrix.ndim != 2 or len(matrix) == 0 or matrix.shape[1] < 2:
        raise ValueError(f"information of shape {matrix.shape}; codes x at least two factors are needed")
    if not (np.isfinite(matrix) & (matrix >= 0)).all():
        raise ValueError("information holds values that are negative or not finite")
    largest = matrix.max(axis=1)
    alive = largest > 0
    # Divide by the largest value first, because the squares of very small numbers would underflow to zero.
    share = (matrix[alive] / largest[alive, None]) ** 2
    # 1 - (sum_k m_k^2 - max_k m_k^2) / (max_k m_k^2 (K - 1))
    return float(np.sum(1 - (share.sum(axis=1) - 1) / (matrix.shape[1] - 1)) / len(matrix))
