"""A pool of codes with their factors: what is accepted, its division, and rows that share a factor's value.

Every disentanglement score takes codes (n, D), posterior means unless said otherwise, and factors (n, K), whole
numbers that name levels. A factor with a single value carries nothing to be found in a code: it is refused, since
leaving it out silently would make means over factors of two pools incomparable.
"""

from typing import NamedTuple

import numpy as np
from sklearn.model_selection import train_test_split

FEWEST_ROWS = 2
TEST_SHARE = 1 / 3  # 10,000 rows to train on and 5,000 to test on, of 15,000 (Locatello et al. 2019)


class Division(NamedTuple):
    """A pool divided at random: codes (n_part, D) and factors (n_part, K), to train on and to test on."""

    train_codes: np.ndarray
    test_codes: np.ndarray
    train_factors: np.ndarray
    test_factors: np.ndarray


class Mates(NamedTuple):
    """For one factor, the rows that share its value with another row, those of one value side by side.

    Attributes:
        rows: (m,) int, indices into the pool.
        start: (m,) int, where in `rows` the group of each begins.
        size: (m,) int, how many rows the group of each holds, at least two.
    """

    rows: np.ndarray
    start: np.ndarray
    size: np.ndarray


def checked_codes(codes: np.ndarray) -> np.ndarray:
    """The codes in float64, (n, D).

    Raises:
        ValueError: not a matrix, fewer than two rows, no columns, or values that are not finite.
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

    Raises:
        ValueError: codes as in `checked_codes`; another number of rows; factors that are no matrix of whole numbers,
            or one of a single value; fewer dimensions or factors than the score compares.
    """
    codes, factors = checked_codes(codes), np.asarray(factors)
    if factors.ndim != 2 or len(factors) != len(codes):
        raise ValueError(f"factors have shape {factors.shape}; ({len(codes)}, factors) is needed beside these codes")
    if factors.dtype.kind not in "buif" or not np.array_equal(factors, _whole(factors)):
        raise ValueError("factors are not all whole numbers; cut continuous ones into levels first")
    factors = _whole(factors)
    if codes.shape[1] < fewest_codes or factors.shape[1] < fewest_factors:
        needed = f"at least {fewest_codes} and {fewest_factors} are compared"
        raise ValueError(f"{codes.shape[1]} code dimension(s) and {factors.shape[1]} factor(s); {needed}")
    for index in np.flatnonzero(np.ptp(factors, axis=0) == 0):
        raise ValueError(f"factor {index} has a single value; leave it out")
    return codes, factors


def _whole(factors: np.ndarray) -> np.ndarray:
    """Cut to whole numbers; what is not finite comes out as one that it does not equal."""
    with np.errstate(invalid="ignore"):
        return factors.astype(np.int64)


def divided(codes: np.ndarray, factors: np.ndarray, seed: int) -> Division:
    """Two thirds of the rows to train on, one third to test on, at random.

    Raises:
        ValueError: a factor has a single value among the rows to train on.
    """
    division = Division(*train_test_split(codes, factors, test_size=TEST_SHARE, random_state=seed))
    for index in np.flatnonzero(np.ptp(division.train_factors, axis=0) == 0):
        raise ValueError(f"factor {index} has a single value among the rows to train on; pass more rows")
    return division


def mates(factor: np.ndarray) -> Mates:
    """The rows that share the value of this factor (n,) with another.

    A row whose value no other has can make neither a pair nor a variance: it is left out.

    Raises:
        ValueError: no two rows share a value.
    """
    _, levels, sizes = np.unique(factor, return_inverse=True, return_counts=True)
    rows = np.argsort(levels, kind="stable")
    rows = rows[sizes[levels[rows]] > 1]
    if len(rows) == 0:
        raise ValueError("no two rows share a value of a factor; pass more rows, or cut it into fewer levels")
    levels = levels[rows]
    return Mates(rows, np.searchsorted(levels, levels), sizes[levels])
