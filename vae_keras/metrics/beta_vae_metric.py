"""beta-VAE score: can a linear classifier tell which factor the rows of each pair share?

Higgins et al. 2017 (beta-VAE, ICLR), section 3. Draw a factor k, then draw a batch of 64 pairs of rows. The two rows of
a pair have the same value of factor k. The feature of the batch is mean abs(code1 - code2). The feature is small in
dimensions that depend on k alone. A linear classifier predicts k from the feature, and the score is its accuracy on
fresh features: 1 if the classifier is always right, about 1 / K if the codes carry no information. The defaults are
those of the study (Locatello et al. 2019, arXiv 1811.12359): 64 pairs, 10,000 features to train on, 5,000 to test on.

The classifier is part of the definition. Here each factor has one logistic regression against all other factors,
fitted by liblinear with C = 1. This was scikit-learn's default until version 0.22, so the study used it. The later
default (multinomial, fitted by lbfgs) gives different scores if the classifier makes errors: higher by 0.01 on noisy
codes. With C = 1 the score depends on the scale of the codes: the penalty is stronger for codes that are scaled down.

The score needs a pool in which the other factors vary while one is fixed. The score is generous: codes that mix the
factors linearly may still score 1.
"""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from vae_keras.metrics.pool import checked, groups

MOST_ITERATIONS = 1_000


def beta_vae_score(
    codes: np.ndarray,
    factors: np.ndarray,
    batch_size: int = 64,
    train: int = 10_000,
    test: int = 5_000,
    seed: int = 0,
) -> float:
    """The accuracy, from 0 to 1, of a classifier that predicts the shared factor from a batch of pairs.

    Args:
        codes: (n, D) float, the pool that pairs are drawn from.
        factors: (n, K) int, at least two factors.
        batch_size: number of pairs for one feature.
        train: number of features that the classifier is fitted on.
        test: number of features that the accuracy is measured on.

    Raises:
        ValueError: `checked` refuses the input, or no two rows have the same value of a factor.
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
    """mean abs(code1 - code2) of batches of pairs, (batches, D). The rows of a pair have the same value of the factor.

    Args:
        size: the number of batches, and the number of pairs in each.
    """
    rows, start, group_size = groups(factor)
    first = random.integers(len(rows), size=size)
    # Move 1 to group_size - 1 places around the group: each other row is equally probable, and the first is excluded.
    step = random.integers(1, group_size[first])
    second = start[first] + (first - start[first] + step) % group_size[first]
    total = np.zeros((size[0], codes.shape[1]))
    # One pair of each batch at a time. All pairs at once would need memory for batches x pairs x D numbers.
    for left, right in zip(rows[first.T], rows[second.T], strict=True):
        total += np.abs(codes[left] - codes[right])
    return total / size[1]
