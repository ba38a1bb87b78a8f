"""DCI: disentanglement, completeness and informativeness.

Eastwood & Williams 2018 (ICLR), section 2. A regressor of each factor on the codes gives importances R (codes x
factors). With a row divided by its sum, a code that matters to one factor alone has entropy 0; with a column
divided by its sum, so has a factor that one code tells alone:

    disentanglement = sum_j rho_j (1 - H_K(R_j. / sum_k R_jk)),  rho_j = sum_k R_jk / sum_jk R_jk
    completeness    = sum_k rho_k (1 - H_D(R_.k / sum_j R_jk)),  rho_k = sum_j R_jk / sum_jk R_jk

with logarithms to the base K, the number of factors, and D, the number of codes. Informativeness is the mean test
accuracy. As in the study (Locatello et al. 2019, arXiv 1811.12359), the regressor is scikit-learn's gradient
boosting with its defaults, 10,000 rows to train on and 5,000 to test on, and 1e-11 is added before the entropy.

Gradient boosting splits on every code that helps at all, so codes that say nothing of any factor have importances
that are noise, spread evenly; disentanglement there is near 0. Trees see only the order of a code's
values: no increasing map of it changes anything but by rounding.
"""

from typing import NamedTuple

import numpy as np
import scipy.stats
from joblib import Parallel, delayed
from sklearn.ensemble import GradientBoostingClassifier

from vae_keras.metrics.pool import checked, divided

SMALL = 1e-11


class Importance(NamedTuple):
    """What an importance matrix says, each from 0 to 1."""

    disentanglement: float
    completeness: float


class Dci(NamedTuple):
    """Disentanglement and completeness of the importances, and test accuracy, each from 0 to 1."""

    disentanglement: float
    completeness: float
    informativeness: float


def dci(codes: np.ndarray, factors: np.ndarray, seed: int = 0) -> Dci:
    """DCI of codes (n, D) float and factors (n, K) int, at least two of each.

    Factors are fitted in parallel on all cores; how many there are does not change the result.

    Raises:
        ValueError: input that `checked` refuses, or too few rows to train on.
    """
    codes, factors = checked(codes, factors, fewest_codes=2, fewest_factors=2)
    division = divided(codes, factors, seed)
    # Threads: scikit-learn grows trees outside the interpreter's lock.
    classifiers = Parallel(n_jobs=-1, prefer="threads")(
        delayed(GradientBoostingClassifier(random_state=seed).fit)(division.train_codes, factor)
        for factor in division.train_factors.T
    )
    importance = np.stack([classifier.feature_importances_ for classifier in classifiers], axis=1)
    tested = zip(classifiers, division.test_factors.T, strict=True)
    accuracy = np.mean([classifier.score(division.test_codes, factor) for classifier, factor in tested])
    return Dci(*dci_from_importance(importance), float(accuracy))


def dci_from_importance(matrix: np.ndarray) -> Importance:
    """Disentanglement and completeness of importances (codes x factors), whose signs do not count.

    A matrix of zeros has 0 of both.

    Raises:
        ValueError: not a matrix of finite numbers with at least two codes and two factors.
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
    # H(R_j. / sum_k R_jk); the entropy divides by the sum itself
    entropies = scipy.stats.entropy(importance + SMALL, base=importance.shape[1], axis=1)
    return float(np.clip(np.sum(importance.sum(axis=1) / total * (1 - entropies)), 0, 1))
