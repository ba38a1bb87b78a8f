"""A pool of codes and their factors: checks, the split into train and test rows, and groups of equal factor value.

Every disentanglement score takes codes (n, D) and factors (n, K). The codes are posterior means unless a docstring says
otherwise. The factors are whole numbers that name levels.

A factor with a single value is refused, because no code can tell anything about it. If such a factor were left out
silently, means over the factors of two pools could not be compared.
"""

from typing import NamedTuple

import numpy as np
from sklearn import model_selection

FEWEST_ROWS = 2
TEST_SHARE = 1 / 3  # of 15,000 rows, 10,000 to train on and 5,000 to test on (Locatello et al. 2019)


class TrainTestSplit(NamedTuple):
    """A random split of a pool into rows to train on and rows to test on.

    Attributes:
        train_codes, test_codes: (rows, D) float.
        train_factors, test_factors: (rows, K) int.
    """

    train_codes: np.ndarray
    test_codes: np.ndarray
    train_factors: np.ndarray
    test_factors: np.ndarray


class Groups(NamedTuple):
    """The groups of rows that have the same value of one factor. Each group has at least two rows.

    Attributes:
        rows: (m,) int, indices into the pool. The rows of one group follow each other.
        start: (m,) int, for each entry of `rows`, the index in `rows` at which its group begins.
        size: (m,) int, for each entry of `rows`, the number of rows in its group.
    """

    rows: np.ndarray
    start: np.ndarray
    size: np.ndarray


def checked_codes(codes: np.ndarray) -> np.ndarray:
    """The codes in float64, (n, D).

    Raises:
        ValueError: the codes are not a matrix, have fewer than two rows or no columns, or are not all finite.
    """
    codes = np.asarray(codes, np.float64)
    if codes.ndim != 2 or codes.shape[1] == 0:
        raise ValueError(f"codes have shape {codes.shape}; (rows, dimensions) is needed")
    if len(codes) < FEWEST_ROWS:
        raise ValueError(f"too few rows ({len(codes)}); at least {FEWEST_ROWS} are needed")
    if not np.isfinite(codes).all():
        raise ValueError("codes hold values that are not finite")
    return codes


def checked(
    codes: np.ndarray, factors: np.ndarray, fewest_codes: int = 1, fewest_factors: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Codes (n, D) float64 and factors (n, K) int64.

    Args:
        fewest_codes: the smallest number of code dimensions that the score can use.
        fewest_factors: the smallest number of factors that the score can use.

    Raises:
        ValueError: `checked_codes` refuses the codes; codes and factors differ in their number of rows; the factors
            are not a matrix of whole numbers; a factor has a single value; there are too few dimensions or factors.
    """
    codes, factors = checked_codes(codes), np.asarray(factors)
    if factors.ndim != 2 or len(factors) != len(codes):
        raise ValueError(f"factors have shape {factors.shape}; ({len(codes)}, factors) is needed for these codes")
    if factors.dtype.kind not in "buif" or not np.array_equal(factors, _whole(factors)):
        raise ValueError("factors are not all whole numbers; cut continuous ones into levels first")
    factors = _whole(factors)
    if codes.shape[1] < fewest_codes or factors.shape[1] < fewest_factors:
        needed = f"at least {fewest_codes} and {fewest_factors} are needed"
        raise ValueError(f"{codes.shape[1]} code dimension(s) and {factors.shape[1]} factor(s); {needed}")
    for index in np.flatnonzero(np.ptp(factors, axis=0) == 0):
        raise ValueError(f"factor {index} has a single value; leave it out")
    return codes, factors


def _whole(factors: np.ndarray) -> np.ndarray:
    """Values cut to whole numbers. A value that is not finite becomes a whole number, which differs from the value."""
    with np.errstate(invalid="ignore"):
        return factors.astype(np.int64)


def train_test_split(codes: np.ndarray, factors: np.ndarray, seed: int) -> TrainTestSplit:
    """A random split: two thirds of the rows to train on, one third to test on.

    Raises:
        ValueError: a factor has a single value among the rows to train on.
    """
    parts = model_selection.train_test_split(codes, factors, test_size=TEST_SHARE, random_state=seed)
    split = TrainTestSplit(*parts)
    for index in np.flatnonzero(np.ptp(split.train_factors, axis=0) == 0):
        raise ValueError(f"factor {index} has a single value among the rows to train on; pass more rows")
    return split


def groups(factor: np.ndarray) -> Groups:
    """The groups of rows with the same value of this factor (n,).

    A row is left out if no other row has its value: such a row gives neither a pair nor a variance.

    Raises:
        ValueError: no two rows share a value.
    """
    _, levels, sizes = np.unique(factor, return_inverse=True, return_counts=True)
    rows = np.argsort(levels, kind="stable")
    rows = rows[sizes[levels[rows]] > 1]
    if len(rows) == 0:
        raise ValueError("no two rows share a value of a factor; pass more rows, or cut it into fewer levels")
    levels = levels[rows]
    return Groups(rows, np.searchsorted(levels, levels), sizes[levels])
