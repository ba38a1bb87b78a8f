"""Can a surrogate's draws be reweighted into the posterior's? The shape of their largest importance weights tells.

Weights w = p(z, e) / q(z) whose tail is that of a generalised Pareto distribution of shape k have finite moments up to
1/k: below 0.7 importance sampling works in practice, above it the surrogate misses what matters (Vehtari et al. 2024,
"Pareto smoothed importance sampling").
"""

import numpy as np

GOOD = 0.7


def pareto_k(log_weights: np.ndarray) -> float:
    """The shape of the largest weights' tail, by the estimator of Zhang & Stephens (2009).

    Args:
        log_weights: log p(z, e) - log q(z) of independent draws of q, (n,).
    """
    tail = int(min(np.ceil(0.2 * len(log_weights)), np.ceil(3.0 * np.sqrt(len(log_weights)))))
    ordered = np.sort(log_weights - log_weights.max())
    excess = np.exp(ordered[-tail:]) - np.exp(ordered[-tail - 1])
    if excess[-1] <= 0.0:  # all weights are equal
        return -np.inf
    return _shape(excess)


def _shape(excess: np.ndarray) -> float:
    """The posterior mean of k under Zhang and Stephens's prior, excesses sorted, (m,)."""
    m = len(excess)
    candidates = 30 + int(np.sqrt(m))
    quartile = excess[int(m / 4 + 0.5) - 1]
    # theta = -k / scale, on the grid of their eq. 8
    theta = 1.0 / excess[-1] + (1.0 - np.sqrt(candidates / (np.arange(candidates) + 0.5))) / (3.0 * quartile)
    shapes = np.log1p(-theta[:, None] * excess).mean(1)
    likelihood = m * (np.log(-theta / shapes) - shapes - 1.0)
    weights = np.exp(likelihood - likelihood.max())
    best = (theta * weights).sum() / weights.sum()
    k = np.log1p(-best * excess).mean()
    # Drawn towards 1/2 as ten more observations would (Vehtari et al., appendix C).
    return float((m * k + 10 * 0.5) / (m + 10))
