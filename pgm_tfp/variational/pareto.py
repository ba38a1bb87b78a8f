"""Whether a surrogate's draws can be reweighted to the posterior: the shape k of the largest importance weights.

Weights w = p(z, e) / q(z) whose tail is that of a generalised Pareto distribution of shape k have finite moments up to
order 1/k. Below 0.7, importance sampling works in practice; above, the surrogate misses important parts of the
posterior (Vehtari et al. 2024, "Pareto smoothed importance sampling").

ArviZ (`arviz-stats`) has the same estimator. Ours stays, because nothing else here needs that package.
"""

import numpy as np

LARGEST_RELIABLE_K = 0.7


def pareto_k(log_weights: np.ndarray) -> float:
    """The shape of the largest weights' tail, by the estimator of Zhang & Stephens (2009).

    Args:
        log_weights: log p(z, e) - log q(z) at independent draws of q, (n,).

    Returns:
        k-hat; minus infinity where all weights are equal.
    """
    tail = int(min(np.ceil(0.2 * len(log_weights)), np.ceil(3.0 * np.sqrt(len(log_weights)))))
    ordered = np.sort(log_weights - log_weights.max())
    excess = np.exp(ordered[-tail:]) - np.exp(ordered[-tail - 1])
    return _shape(excess) if excess[-1] > 0.0 else -np.inf


def _shape(excess: np.ndarray) -> float:
    """The posterior mean of k under the prior of Zhang & Stephens, from sorted excesses (m,)."""
    m = len(excess)
    candidates = 30 + int(np.sqrt(m))
    quartile = excess[int(m / 4 + 0.5) - 1]
    # theta = -k / scale, on the grid of their equation 8
    theta = 1.0 / excess[-1] + (1.0 - np.sqrt(candidates / (np.arange(candidates) + 0.5))) / (3.0 * quartile)
    shapes = np.log1p(-theta[:, None] * excess).mean(1)
    likelihood = m * (np.log(-theta / shapes) - shapes - 1.0)
    weights = np.exp(likelihood - likelihood.max())
    best = (theta * weights).sum() / weights.sum()
    k = np.log1p(-best * excess).mean()
    # A weak prior, worth ten observations of k = 1/2 (Vehtari et al., appendix C)
    return float((m * k + 10 * 0.5) / (m + 10))
