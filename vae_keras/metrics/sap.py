"""SAP, separated attribute predictability: how much better does the best dimension predict a factor than the second?

Kumar et al. 2018, arXiv 1711.00848, section 3. Every dimension alone predicts every factor; the score is the
mean over factors of the best dimension's score minus the second best's. For discrete factors a prediction's score is
the test accuracy of a linear support vector machine (C = 0.01, classes balanced; 10,000 rows to train on
and 5,000 to test on, as in Locatello et al. 2019, arXiv 1811.12359); for continuous ones the squared correlation,
over all rows, and 0 where the variance of the code is at most 1e-12.

Two things to know of the discrete form. One line cannot cut an ordered factor into many levels: codes equal
to ten factors of ten levels score about 0.2, where the continuous form gives 1. And C does not scale with the
codes, so neither do the scores.
"""

import numpy as np
from sklearn.svm import LinearSVC

from vae_keras.metrics.pool import checked, divided

LEAST_VARIANCE = 1e-12
MOST_ITERATIONS = 1_000


def sap_score(codes: np.ndarray, factors: np.ndarray, continuous_factors: bool = False, seed: int = 0) -> float:
    """SAP, from 0 to 1.

    Args:
        codes: (n, D) float, at least two dimensions.
        factors: (n, K) int.
        continuous_factors: whether the levels stand for amounts, so that correlation measures prediction.
        seed: of the division into rows to train on and to test on; the continuous form has none.

    Raises:
        ValueError: input that `checked` refuses, or too few rows to train on.
    """
    codes, factors = checked(codes, factors, fewest_codes=2)
    scores = _squared_correlations(codes, factors) if continuous_factors else _accuracies(codes, factors, seed)
    *_, second, best = np.sort(scores, axis=0)
    return float(np.mean(best - second))


def _squared_correlations(codes: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Cov(c_j, v_k)^2 / Var(c_j) Var(v_k), (D, K)."""
    dimensions = codes.shape[1]
    covariance = np.cov(codes, factors, rowvar=False)
    variance = np.diag(covariance)
    varies = variance[:dimensions, None] > LEAST_VARIANCE
    product = np.where(varies, np.outer(variance[:dimensions], variance[dimensions:]), 1.0)
    return np.where(varies, covariance[:dimensions, dimensions:] ** 2 / product, 0.0)


def _accuracies(codes: np.ndarray, factors: np.ndarray, seed: int) -> np.ndarray:
    """Test accuracy of predicting each factor from each dimension alone, (D, K)."""
    division = divided(codes, factors, seed)
    scores = np.empty((codes.shape[1], factors.shape[1]))
    for row, column in np.ndindex(scores.shape):
        # The primal problem: fewer dimensions than rows, and no order of rows that the answer could depend on.
        machine = LinearSVC(
            C=0.01, class_weight="balanced", dual=False, max_iter=MOST_ITERATIONS, random_state=seed
        ).fit(division.train_codes[:, [row]], division.train_factors[:, column])
        scores[row, column] = machine.score(division.test_codes[:, [row]], division.test_factors[:, column])
    return scores
