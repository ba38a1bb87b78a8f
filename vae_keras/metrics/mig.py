"""Mutual information gap: does one code dimension, and no other, carry the information about each factor?

Chen et al. 2018, arXiv 1802.04942, section 4:

    MIG = mean_k (I(c_first; v_k) - I(c_second; v_k)) / H(v_k)

where c_first and c_second are the two dimensions with the most information about factor v_k. Chen et al. estimate I
from samples of q(z | x). This module uses the estimator of the study (Locatello et al. 2019, arXiv 1811.12359): counts
over 10,000 posterior means in 20 bins of equal width. When you report a MIG, name the estimator.

Limits of the score:

- Counts overestimate I by about (bins - 1)(values - 1) / 2n. The error of the gap is smaller, because both values of I
  are too high.
- The bins have equal width. With one outlier, all other values of a dimension fall into few bins, and the gap shrinks.
- A factor with more values than bins cannot reach 1: a perfect code for 32 values in 20 bins has 0.85.
- The score looks at each factor separately, so MIG may be 1 if one dimension encodes two factors. Modularity is low in
  this case (0 if there are only these two factors), so report both scores.
"""

import numpy as np

from vae_keras.metrics.discrete import BINS, binned, entropy, mutual_information_matrix
from vae_keras.metrics.pool import checked


def mutual_information_gap(codes: np.ndarray, factors: np.ndarray, bins: int = BINS) -> float:
    """MIG of codes (n, D) float and factors (n, K) int, from 0 to 1.

    If there is only one dimension, the information of the second counts as 0.

    Raises:
        ValueError: `checked` refuses the input.
    """
    codes, factors = checked(codes, factors)
    information = mutual_information_matrix(binned(codes, bins), factors)
    *_, second, first = np.sort(np.vstack([np.zeros(factors.shape[1]), information]), axis=0)
    # mean_k (I(c_first; v_k) - I(c_second; v_k)) / H(v_k)
    return float(np.mean((first - second) / [entropy(factor) for factor in factors.T]))
