"""FactorVAE score: does fixing a factor still one code dimension, the same one each time?

Kim & Mnih 2018, arXiv 1802.05983, section 4. Fix a factor at one value over a batch of 64; the dimension with the
smallest ratio of its variance in the batch to its variance over all codes gives a vote (dimension, factor). Each
dimension is assigned the factor of most of its votes; the score is the accuracy of that rule on fresh votes. 1 is
perfect; codes that say nothing have about 1 / K. Defaults are those of the study (Locatello et al. 2019,
arXiv 1811.12359): batches of 64, 10,000 votes to train on, 5,000 to test on, variance over 10,000 codes (ddof 1).

Dimensions with a standard deviation below 0.05 are dropped: an unused latent keeps a posterior mean of about 0,
and its ratio is noise. The score is 0 if none is left. Above that threshold the scale of a dimension does
not matter. The value is that of a random row, so frequent values are fixed more often.
"""

import numpy as np

from vae_keras.metrics.pool import checked, mates

LEAST_DEVIATION = 0.05
BLOCK = 1_000  # batches held at a time: 5 MB of codes for each dimension


def factor_vae_score(
    codes: np.ndarray,
    factors: np.ndarray,
    batch_size: int = 64,
    train: int = 10_000,
    test: int = 5_000,
    seed: int = 0,
) -> float:
    """Accuracy, from 0 to 1, of telling the fixed factor from the dimension that varies least.

    Args:
        codes: (n, D) float, the pool that batches are drawn from, with replacement.
        factors: (n, K) int, at least two factors.
        batch_size: rows in a batch, at least two.
        train, test: votes to assign factors by and to count hits on.

    Raises:
        ValueError: input that `checked` refuses, batches of one, or a factor of which no two rows share a value.
    """
    codes, factors = checked(codes, factors, fewest_factors=2)
    if batch_size < 2:
        raise ValueError(f"batches of {batch_size} have no variance; at least two rows are needed")
    codes = codes[:, np.std(codes, axis=0, ddof=1) >= LEAST_DEVIATION]
    if codes.shape[1] == 0:
        return 0.0
    random = np.random.default_rng(seed)
    fixed = random.integers(factors.shape[1], size=train + test)
    stillest = np.empty(len(fixed), np.int64)
    for index, factor in enumerate(factors.T):
        stillest[fixed == index] = _stillest(codes, factor, (np.sum(fixed == index), batch_size), random)
    votes = np.zeros((codes.shape[1], factors.shape[1]), np.int64)
    np.add.at(votes, (stillest[:train], fixed[:train]), 1)
    factor_of = votes.argmax(axis=1)
    return float(np.mean(factor_of[stillest[train:]] == fixed[train:]))


def _stillest(codes: np.ndarray, factor: np.ndarray, size: tuple[int, int], random: np.random.Generator) -> np.ndarray:
    """The dimension that varies least in batches at one value of this factor, (batches,) int.

    Args:
        size: batches, and rows in each.
    """
    rows, start, group = mates(factor)
    chosen = random.integers(len(rows), size=(size[0], 1))
    batches = rows[start[chosen] + random.integers(group[chosen], size=size)]
    over_all = np.var(codes, axis=0, ddof=1)
    blocks = np.split(batches, range(BLOCK, len(batches), BLOCK))
    # argmin_j Var_batch(c_j) / Var(c_j)
    return np.concatenate([np.argmin(np.var(codes[block], axis=1, ddof=1) / over_all, axis=1) for block in blocks])
