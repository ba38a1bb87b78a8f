"""beta-VAE score: can a linear classifier tell which factor two batches share?

Higgins et al. 2017 (beta-VAE, ICLR), section 3. Draw a factor k; draw pairs of rows with one value of factor k; the
feature of a batch of 64 pairs is mean abs(code1 - code2), small in the dimensions that k alone moves. The score is
the accuracy of a linear classifier from feature to k on fresh features: 1 where it always tells, about 1 / K where the
codes say nothing. Defaults are those of the study (Locatello et al. 2019, arXiv 1811.12359): 64 pairs, 10,000
features to train on, 5,000 to test on.

The classifier is part of the definition. Here it is one logistic regression for each factor against the rest,
by liblinear with C = 1: scikit-learn's default until 0.22, and so the study's. The later default, multinomial by
lbfgs, gives other numbers where the classifier errs (higher by a hundredth on noisy codes). C = 1 is not
scale-free: codes scaled down are penalised more.

It needs a pool in which the other factors vary while one is held, and is generous: a linear map that mixes
factors may still score 1.
"""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from vae_keras.metrics.pool import checked, mates

MOST_ITERATIONS = 1_000


def beta_vae_score(
    codes: np.ndarray,
    factors: np.ndarray,
    batch_size: int = 64,
    train: int = 10_000,
    test: int = 5_000,
    seed: int = 0,
) -> float:
    """Accuracy, from 0 to 1, of telling the shared factor from a batch of pairs.

    Args:
        codes: (n, D) float, the pool that pairs are drawn from.
        factors: (n, K) int, at least two factors.
        batch_size: pairs in a feature.
        train, test: features to fit on and to count hits on.

    Raises:
        ValueError: input that `checked` refuses, or a factor of which no two rows share a value.
    """
    codes, factors = checked(codes, factors, fewest_factors=2)
    random = np.random.default_rng(seed)
    shared = random.integers(factors.shape[1], size=train + test)
    features = np.empty((len(shared), codes.shape[1]))
    for index, factor in enumerate(factors.T):
        features[shared == index] = _features(codes, factor, (np.sum(shared == index), batch_size), random)
    regression = LogisticRegression(C=1.0, solver="liblinear", max_iter=MOST_ITERATIONS, random_state=seed)
    classifier = OneVsRestClassifier(regression).fit(features[:train], shared[:train])
    return float(classifier.score(features[train:], shared[train:]))


def _features(codes: np.ndarray, factor: np.ndarray, size: tuple[int, int], random: np.random.Generator) -> np.ndarray:
    """mean abs(code1 - code2) over batches of pairs that share a value of this factor, (batches, D).

    Args:
        size: batches, and pairs in each.
    """
    rows, start, group = mates(factor)
    first = random.integers(len(rows), size=size)
    # A step of 1 to group - 1 around the group ends at every other row of it alike, and never at the first again.
    step = random.integers(1, group[first])
    second = start[first] + (first - start[first] + step) % group[first]
    total = np.zeros((size[0], codes.shape[1]))
    # Pair by pair: all at once would hold batches x pairs x D numbers.
    for left, right in zip(rows[first.T], rows[second.T], strict=True):
        total += np.abs(codes[left] - codes[right])
    return total / size[1]
