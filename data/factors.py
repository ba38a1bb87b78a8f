"""The named factors of a rendered face: what varies, how far, and in which unit.

A face is a point in a box: each factor is drawn uniformly and independently of the
others, so that any dependence a model shows between them is the model's own. The
draw of face `index` is a function of (seed, index) alone; the first thousand faces
of two thousand are the same as a thousand faces.
"""

from typing import NamedTuple

import numpy as np


class Factor(NamedTuple):
    """One ground-truth factor of variation.

    Attributes:
        name: as used in labels, metrics and on the command line.
        low, high: the ends of its range, in `unit`.
        unit: of `low` and `high`; "1" where the factor is a pure number.
        threshold: the label `name` is true above it.
        meaning: what the label says of a face when it is true.
    """

    name: str
    low: float
    high: float
    unit: str
    threshold: float
    meaning: str


FACTORS: tuple[Factor, ...] = (
    Factor("smile", -1.0, 1.0, "1", 0.0, "smiling"),
    Factor("mouth_opening", 0.0, 1.0, "1", 0.5, "mouth wide open"),
    Factor("eye_opening", 0.0, 1.0, "1", 0.5, "eyes wide open"),
    Factor("brow_height", -1.0, 1.0, "1", 0.0, "brows raised"),
    Factor("yaw", -20.0, 20.0, "degree", 0.0, "turned to the right of the picture"),
    Factor("light_azimuth", -50.0, 50.0, "degree", 0.0, "lit from the right of the picture"),
    Factor("face_width", 0.86, 1.14, "1", 1.0, "broad face"),
    Factor("jaw", 0.0, 1.0, "1", 0.5, "square jaw"),
    Factor("nose_length", 0.0, 1.0, "1", 0.5, "long nose"),
    Factor("skin_tone", 0.0, 1.0, "1", 0.5, "light skin"),
    Factor("hair_tone", 0.0, 1.0, "1", 0.5, "light hair"),
    Factor("hair_length", 0.0, 1.0, "1", 0.5, "long hair"),
    Factor("background", 0.0, 1.0, "1", 0.5, "light background"),
)

NAMES: tuple[str, ...] = tuple(factor.name for factor in FACTORS)

_LOW = np.array([factor.low for factor in FACTORS])
_HIGH = np.array([factor.high for factor in FACTORS])


def sample_factors(count: int, seed: int = 0) -> np.ndarray:
    """Factors of faces 0 .. count - 1 of the data set `seed`, (count, K) float64, in factor units."""
    unit = np.stack([np.random.default_rng((seed, index)).random(len(FACTORS)) for index in range(count)])
    return _LOW + unit * (_HIGH - _LOW)


def labels_of(factors: np.ndarray) -> np.ndarray:
    """One boolean for each factor, (count, K): is it above its threshold?"""
    return factors > np.array([factor.threshold for factor in FACTORS])


def middle() -> np.ndarray:
    """The centre of the box, (K,): the face that sweeps of single factors start from."""
    return 0.5 * (_LOW + _HIGH)


def level_values(factor: Factor, levels: int) -> np.ndarray:
    """`levels` equally spaced values over the factor's range, ends included, (levels,)."""
    return np.linspace(factor.low, factor.high, levels)
