"""The factors of a rendered face: their names, ranges and units.

Each factor is uniform in its range and independent of the other factors. If a model shows a dependence between two
factors, the dependence comes from the model. The factors of face `index` depend on (seed, index) alone, so a set of
2000 faces begins with the same 1000 faces as a set of 1000.
"""

from typing import NamedTuple

import numpy as np


class Factor(NamedTuple):
    """One ground-truth factor of variation.

    Attributes:
        name: the name in labels, in metrics and on the command line.
        low, high: the ends of the factor's range, in `unit`.
        unit: the unit of `low`, `high` and `threshold`; "1" for a pure number.
        threshold: the label `name` is true for values above this one.
        meaning: a description of a face for which the label is true.
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
    Factor("yaw", -20.0, 20.0, "degree", 0.0, "turned to the right of the image"),
    Factor("light_azimuth", -50.0, 50.0, "degree", 0.0, "lit from the right of the image"),
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
    """The factors of the first `count` faces for this seed, (count, K) float64, in the factors' units."""
    unit = np.stack([np.random.default_rng((seed, index)).random(len(FACTORS)) for index in range(count)])
    return _LOW + unit * (_HIGH - _LOW)


def labels_of(factors: np.ndarray) -> np.ndarray:
    """Whether each factor is above its threshold, (count, K) bool."""
    return factors > np.array([factor.threshold for factor in FACTORS])


def middle() -> np.ndarray:
    """The centre of each factor's range, (K,). Figures that vary one factor start from this face."""
    return 0.5 * (_LOW + _HIGH)


def level_values(factor: Factor, levels: int) -> np.ndarray:
    """Equally spaced values over the factor's range, both ends included, (levels,)."""
    return np.linspace(factor.low, factor.high, levels)
