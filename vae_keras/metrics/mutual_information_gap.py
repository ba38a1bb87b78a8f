"""Mutual information gap: is each factor told by one code dimension, and by no second one?

Chen et al. 2018, arXiv 1802.04942, section 4:

    MIG = mean_k (I(c_first; v_k) - I(c_second; v_k)) / H(v_k)

with c_first and c_second the two dimensions that tell most about factor v_k. Theirs estimates I from samples of
q(z | x); this is the estimator of the study (Locatello et al. 2019, arXiv 1811.12359): counts over posterior
means, cut into 20 bins of equal width, on 10,000 codes. Say which one a number is.

What the number does not say:

- Counts overestimate I by about (bins - 1)(values - 1) / 2n, the gap by less, since both its ends are too high.
- Bins of equal width: one outlier flattens a dimension into few of them, and the gap with it.
- A factor of more values than bins cannot reach 1: a perfect code of 32 values in 20 bins has 0.85.
- It looks at each factor alone: one dimension that holds two factors may have MIG 1. Modularity is low there
  (0 where there are only these two), so report both.
"""

import numpy as np

from vae_keras.metrics.discrete import BINS, binned, entropy, mutual_information_matrix
from vae_keras.metrics.pool import checked


def mutual_information_gap(codes: np.ndarray, factors: np.ndarray, bins: int = BINS) -> float:
    """MIG of codes (n, D) float and factors (n, K) int, from 0 to 1; a single dimension has a second that tells 0.

    Raises:
        ValueError: input that `checked` refuses.
    """
    codes, factors = checked(codes, factors)
    information = mutual_information_matrix(binned(codes, bins), factors)
    *_, second, first = np.sort(np.vstack([np.zeros(factors.shape[1]), information]), axis=0)
    # mean_k (I(c_first; v_k) - I(c_second; v_k)) / H(v_k)
    return float(np.mean((first - second) / [entropy(factor) for factor in factors.T]))
