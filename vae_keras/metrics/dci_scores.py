"""DCI: disentanglement, completeness and informativeness.

Eastwood & Williams 2018 (ICLR), section 2. A regressor of each factor on the codes gives importances R (codes x
factors). Each row divided by its sum is a distribution over factors; its entropy is 0 if the code is important for one
factor alone. Each column divided by its sum is a distribution over codes; its entropy is 0 if one code alone predicts
the factor. H_K and H_D are entropies with logarithms to the base K, the number of factors, and D, the number of codes:

    disentanglement = sum_j rho_j (1 - H_K(R_j. / sum_k R_jk)),  rho_j = sum_k R_jk / sum_jk R_jk
    completeness    = sum_k rho_k (1 - H_D(R_.k / sum_j R_jk)),  rho_k = sum_j R_jk / sum_jk R_jk

Informativeness is the mean test accuracy. As in the study (Locatello et al. 2019, arXiv 1811.12359), the regressor is
scikit-learn's gradient boosting with its defaults, there are 10,000 rows to train on and 5,000 to test on, and 1e-11 is
added before the entropy.

Gradient boosting splits on every code that reduces its training loss. If a code has no information on any factor, its
importances are noise and spread evenly over the factors, so disentanglement is near 0. Trees use only the order of the
values of a code. So an increasing function of a code changes the scores only by rounding.
"""

from typing import NamedTuple

import numpy as np
import scipy.stats
from joblib import Parallel, delayed
from sklearn.ensemble import GradientBoostingClassifier

from common.progress import tracked
from vae_keras.metrics.pool import checked, train_test_split

SMALL = 1e-11


class Importance(NamedTuple):
    """The two scores of an importance matrix, each from 0 to 1."""

    disentanglement: float
    completeness: float


class Dci(NamedTuple):
    """The two scores of the importances, and the mean test accuracy (informativeness), each from 0 to 1."""

    disentanglement: float
    completeness: float
    informativeness: float


def dci(codes: np.ndarray, factors: np.ndarray, seed: int = 0) -> Dci:
    """DCI of codes (n, D) float and factors (n, K) int, at least two of each.

    The factors are fitted in parallel on all cores. The number of cores does not change the result.

    Raises:
        ValueError: `checked` refuses the input, or a factor has a single value among the rows to train on.
    """
    codes, factors = checked(codes, factors, fewest_codes=2, fewest_factors=2)
    split = train_test_split(codes, factors, seed)
    # Threads are enough: scikit-learn releases the interpreter's lock while it grows trees.
    fitted = Parallel(n_jobs=-1, prefer="threads", return_as="generator")(
        delayed(GradientBoostingClassifier(random_state=seed).fit)(split.train_codes, factor)
        for factor in split.train_factors.T
    )
    classifiers = [*tracked(fitted, "predicting factors for DCI", split.train_factors.shape[1])]
    importance = np.stack([classifier.feature_importances_ for classifier in classifiers], axis=1)
    tested = zip(classifiers, split.test_factors.T, strict=True)
    accuracy = np.mean([classifier.score(split.test_codes, factor) for classifier, factor in tested])
    return Dci(*dci_from_importance(importance), float(accuracy))


def dci_from_importance(matrix: np.ndarray) -> Importance:
    """Disentanglement and completeness of importances (codes x factors); only their absolute values count.

    Both are 0 for a matrix of zeros.

    Raises:
        ValueError: the argument is not a matrix of finite numbers with at least two codes and two factors.
    """
    matrix = np.abs(np.asarray(matrix, np.float64))
    if matrix.ndim != 2 or min(matrix.shape) < 2 or not np.isfinite(matrix).all():
        raise ValueError(f"importances of shape {matrix.shape}; at least 2 codes x 2 factors, all finite, are needed")
    return Importance(_concentration(matrix), _concentration(matrix.T))


def _concentration(importance: np.ndarray) -> float:
    """sum_j rho_j (1 - H(row j)), with the entropy to the base of the number of columns."""
    total = importance.sum()
    if total == 0:
        return 0.0
    # H(R_j. / sum_k R_jk); scipy's entropy divides each row by its sum
    entropies = scipy.stats.entropy(importance + SMALL, base=importance.shape[1], axis=1)
    return float(np.clip(np.sum(importance.sum(axis=1) / total * (1 - entropies)), 0, 1))
