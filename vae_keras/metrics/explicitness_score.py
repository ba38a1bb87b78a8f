"""Explicitness: can a simple classifier predict every value of every factor from the code?

Ridgeway & Mozer 2018, arXiv 1802.05312, section 3. For each factor, one logistic regression on the whole z-scored code
gives the probability of each value. The area under the ROC curve of each value's probability is measured on test rows.
The score is the mean of these areas over values, then over factors: 0.5 is chance, 1 is perfect. As in the study
(Locatello et al. 2019, arXiv 1811.12359), the regression is multinomial, with 10,000 rows to train on and 5,000 to test
on.

The score measures whether the code predicts the values, not whether each dimension stands for one factor. Any
invertible linear map of the code has the same explicitness, except for the small penalty of the regression.

In a multinomial regression on one code, a middle value of an ordered factor can be most probable in the middle of the
range. So a code equal to the factor scores about 1. One regression for each value against all others could separate
only the two ends of the range: the same code would score 0.78 for ten values.
"""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from vae_keras.metrics.pool import TrainTestSplit, checked, train_test_split

MOST_ITERATIONS = 1_000


def explicitness(codes: np.ndarray, factors: np.ndarray, seed: int = 0) -> float:
    """Mean area under the ROC curve of codes (n, D) float and factors (n, K) int, from 0 to 1.

    A value is left out of the mean if it does not occur among the rows to train on, or among the rows to test on: it
    has no ROC curve.

    Raises:
        ValueError: `checked` refuses the input, or there are too few rows for any ROC curve of a factor.
    """
    codes, factors = checked(codes, factors)
    split = train_test_split(codes, factors, seed)
    # The scaler sets a constant dimension to zero.
    scaler = StandardScaler().fit(split.train_codes)
    split = split._replace(
        train_codes=scaler.transform(split.train_codes), test_codes=scaler.transform(split.test_codes)
    )
    return float(np.mean([np.mean(_areas(split, index, seed)) for index in range(factors.shape[1])]))


def _areas(split: TrainTestSplit, index: int, seed: int) -> list[float]:
    """The areas under the ROC curves of one factor, one for each value."""
    train, test = split.train_factors[:, index], split.test_factors[:, index]
    values = np.intersect1d(train, test)
    if len(np.unique(test)) < 2 or len(values) == 0:
        raise ValueError(f"factor {index} has too few different values among the rows to test on; pass more rows")
    regression = LogisticRegression(C=1.0, solver="lbfgs", max_iter=MOST_ITERATIONS, random_state=seed)
    probabilities = regression.fit(split.train_codes, train).predict_proba(split.test_codes)
    column = {value: place for place, value in enumerate(regression.classes_)}
    return [float(roc_auc_score(test == value, probabilities[:, column[value]])) for value in values]
