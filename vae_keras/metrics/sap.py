"""SAP, separated attribute predictability: how much better does the best dimension predict a factor than the second?

Kumar et al. 2018, arXiv 1711.00848, section 3. Each dimension alone predicts each factor. SAP is the mean over factors
of the best dimension's prediction score minus the second best dimension's. There are two forms of the prediction score:

- for discrete factors, the test accuracy of a linear support vector machine (C = 0.01, balanced classes, 10,000 rows to
  train on and 5,000 to test on, as in Locatello et al. 2019, arXiv 1811.12359);
- for continuous factors, the squared correlation over all rows, or 0 if the variance of the code is at most 1e-12.

The discrete form has two limits. A linear classifier of one dimension cannot separate many levels of an ordered factor:
codes equal to ten factors of ten levels score about 0.2, but 1 in the continuous form. And because C is fixed, the
score depends on the scale of the codes.
"""

import numpy as np
from sklearn.svm import LinearSVC

from vae_keras.metrics.pool import checked, train_test_split

LEAST_VARIANCE = 1e-12
MOST_ITERATIONS = 1_000


def sap_score(codes: np.ndarray, factors: np.ndarray, continuous_factors: bool = False, seed: int = 0) -> float:
    """SAP, from 0 to 1.

    Args:
        codes: (n, D) float, at least two dimensions.
        factors: (n, K) int.
        continuous_factors: whether the levels are amounts, so that correlation measures the quality of a prediction.
        seed: of the split into rows to train on and rows to test on. The continuous form has no split.

    Raises:
        ValueError: `checked` refuses the input, or a factor has a single value among the rows to train on.
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
    split = train_test_split(codes, factors, seed)
    scores = np.empty((codes.shape[1], factors.shape[1]))
    for row, column in np.ndindex(scores.shape):
        # dual=False solves the primal problem, which suits fewer dimensions than rows. Its solution does not depend on
        # the order of the rows.
        machine = LinearSVC(
            C=0.01, class_weight="balanced", dual=False, max_iter=MOST_ITERATIONS, random_state=seed
        ).fit(split.train_codes[:, [row]], split.train_factors[:, column])
        scores[row, column] = machine.score(split.test_codes[:, [row]], split.test_factors[:, column])
    return scores
