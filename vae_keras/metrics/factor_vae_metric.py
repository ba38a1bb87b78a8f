"""FactorVAE score: does the same code dimension vary least each time one factor is fixed?

Kim & Mnih 2018, arXiv 1802.05983, section 4. Draw a batch of 64 rows in which one factor has one value. For each
dimension, divide its variance in the batch by its variance over all codes. The dimension with the smallest ratio gives
one vote (dimension, factor). Each dimension is assigned the factor of most of its votes. The score is the accuracy of
this rule on fresh votes: 1 is perfect, and codes without information have about 1 / K. The defaults are those of the
study (Locatello et al. 2019, arXiv 1811.12359): batches of 64, 10,000 votes to train on, 5,000 to test on, variance
over 10,000 codes (ddof 1).

Dimensions with a standard deviation below 0.05 are dropped: an unused latent has a posterior mean of about 0, and its
ratio is noise. The score is 0 if no dimension is left. Above this threshold, the scale of a dimension has no effect.
The fixed value is the value of a random row, so frequent values are fixed more often.
"""

import numpy as np

from vae_keras.metrics.pool import checked, groups

LEAST_DEVIATION = 0.05
BLOCK = 1_000  # batches in memory at one time: 0.5 MB of codes for each dimension, with 64 rows in a batch


def factor_vae_score(
    codes: np.ndarray,
    factors: np.ndarray,
    batch_size: int = 64,
    train: int = 10_000,
    test: int = 5_000,
    seed: int = 0,
) -> float:
    """The accuracy, from 0 to 1, of predicting the fixed factor from the dimension that varies least.

    Args:
        codes: (n, D) float, the pool that batches are drawn from, with replacement.
        factors: (n, K) int, at least two factors.
        batch_size: rows in a batch, at least two.
        train: number of votes that assign a factor to each dimension.
        test: number of votes that the accuracy is measured on.

    Raises:
        ValueError: `checked` refuses the input, a batch has a single row, or no two rows have the same value of a
            factor.
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
    """For each batch, the dimension that varies least, (batches,) int. The factor has one value in each batch.

    Args:
        size: the number of batches, and the number of rows in each.
    """
    rows, start, group_size = groups(factor)
    chosen = random.integers(len(rows), size=(size[0], 1))
    batches = rows[start[chosen] + random.integers(group_size[chosen], size=size)]
    over_all = np.var(codes, axis=0, ddof=1)
    blocks = np.split(batches, range(BLOCK, len(batches), BLOCK))
    # argmin_j Var_batch(c_j) / Var(c_j)
    return np.concatenate([np.argmin(np.var(codes[block], axis=1, ddof=1) / over_all, axis=1) for block in blocks])
