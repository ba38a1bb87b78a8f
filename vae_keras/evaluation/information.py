"""Mutual information between latents and the known factors and labels of images."""

from typing import NamedTuple

import numpy as np

from data.dataset import Dataset
from vae_keras.metrics.discrete import LEAST_SHARE

LEVELS = 5  # of a continuous factor


class Known(NamedTuple):
    """The known factors and labels of n images, as integer levels.

    Attributes:
        names: the K names of factors and labels.
        levels: (n, K) int. Every column has at least two values. No two columns group the images in the same way.
    """

    names: tuple[str, ...]
    levels: np.ndarray


def known_about(dataset: Dataset, places: np.ndarray) -> Known:
    """The factors and labels of the images at these places. Continuous factors are cut at quantiles.

    A label is left out if a factor or an earlier label groups the images in the same way, as smile and non_smile do.
    """
    columns = {
        name: levelled(values) for name, values in zip(dataset.factor_names, dataset.factors[places].T, strict=True)
    }
    for name in dataset.label_names:
        columns.setdefault(name, dataset.label(name)[places].astype(int))
    new: dict[bytes, str] = {}
    for name, column in columns.items():
        # Each level is replaced by the index of its first image, so columns with the same groups become equal.
        firsts, level = np.unique(column, return_index=True, return_inverse=True)[1:]
        new.setdefault(firsts[level].tobytes(), name)
    names = tuple(name for name in new.values() if np.ptp(columns[name]) > 0)
    return Known(
        names, np.stack([columns[name] for name in names], axis=1) if names else np.empty((len(places), 0), int)
    )


def levelled(values: np.ndarray, levels: int = LEVELS) -> np.ndarray:
    """Numbers (n,) as levels 0, 1, ...: one level per value if there are few values, otherwise by quantiles."""
    distinct, level = np.unique(values, return_inverse=True)
    if len(distinct) <= levels:
        return level
    inner = np.quantile(values, np.arange(1, levels) / levels)
    return np.searchsorted(inner, values, side="right")


def carried_factors(shares: np.ndarray, names: tuple[str, ...]) -> list[str]:
    """The factor with the largest share in each latent, (D, K) -> D names; empty if the share is below LEAST_SHARE."""
    if not names:
        return [""] * len(shares)
    best = shares.argmax(axis=1)
    return [names[factor] if row[factor] >= LEAST_SHARE else "" for factor, row in zip(best, shares, strict=True)]
