"""Explicitness: can a simple classifier read every value of every factor off the code?

Ridgeway & Mozer 2018, arXiv 1802.05312, section 3. One logistic regression a factor, on the whole code, z-scored, gives
the probability of each of its values; the score is the area under the ROC curve of each value's probability on test
rows, mean over values, then over factors. 0.5 is chance, 1 perfect. The regression is multinomial, and there are 10,000
rows to train on and 5,000 to test on, as in the study (Locatello et al. 2019, arXiv 1811.12359).

It asks that values can be read, not that dimensions stand alone: any invertible linear map of the code has the
same explicitness but for the regression's small penalty. In a multinomial regression a middle value of an ordered
factor is most probable in the middle of a line, so a code equal to the factor has about 1; one regression a value
against the rest could cut off the ends alone, and would give it 0.78 for ten values.
"""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from vae_keras.metrics.pool import Division, checked, divided

MOST_ITERATIONS = 1_000


def explicitness(codes: np.ndarray, factors: np.ndarray, seed: int = 0) -> float:
    """Mean area under the ROC curve of codes (n, D) float and factors (n, K) int, from 0 to 1.

    A value that the rows to train on or to test on lack, or have alone, has no curve and is left out of the mean.

    Raises:
        ValueError: input that `checked` refuses, or too few rows for any curve of a factor.
    """
    codes, factors = checked(codes, factors)
    division = divided(codes, factors, seed)
    # A constant dimension stays at zero.
    scaler = StandardScaler().fit(division.train_codes)
    division = division._replace(
        train_codes=scaler.transform(division.train_codes), test_codes=scaler.transform(division.test_codes)
    )
    return float(np.mean([np.mean(_areas(division, index, seed)) for index in range(factors.shape[1])]))


def _areas(division: Division, index: int, seed: int) -> list[float]:
    """The area under the ROC curve for each value of a factor."""
    train, test = division.train_factors[:, index], division.test_factors[:, index]
    values = np.intersect1d(train, test)
    if len(np.unique(test)) < 2 or len(values) == 0:
        raise ValueError(f"factor {index} has too few values among the rows to test on; pass more rows")
    regression = LogisticRegression(C=1.0, solver="lbfgs", max_iter=MOST_ITERATIONS, random_state=seed)
    probabilities = regression.fit(division.train_codes, train).predict_proba(division.test_codes)
    column = {value: place for place, value in enumerate(regression.classes_)}
    return [float(roc_auc_score(test == value, probabilities[:, column[value]])) for value in values]
