"""Which latent carries which factor: mutual information between latents and what is known about images."""

from typing import NamedTuple

import numpy as np

from data.dataset import Dataset
from vae_keras import metrics
from vae_keras.metrics.discrete import BINS

LEVELS = 5  # that a continuous factor is cut into
LEAST_SHARE = 0.1  # of a factor's entropy; a latent that carries less is not named after it


class Known(NamedTuple):
    """What is known about n images, in levels.

    Attributes:
        names: K names, of factors and of labels that are not made from a factor.
        levels: (n, K) int, each column with at least two values, no two columns dividing the images alike.
    """

    names: tuple[str, ...]
    levels: np.ndarray


def known_about(dataset: Dataset, places: np.ndarray) -> Known:
    """Factors, cut into levels of about as many images each, and labels, of the images at these places.

    A label says nothing new where a factor or another label divides the images alike, as smile and non_smile do.
    """
    columns = {
        name: levelled(values) for name, values in zip(dataset.factor_names, dataset.factors[places].T, strict=True)
    }
    for name in dataset.label_names:
        columns.setdefault(name, dataset.label(name)[places].astype(int))
    new: dict[bytes, str] = {}
    for name, column in columns.items():
        # The same for all columns that divide the images alike: each level is called by its first image.
        firsts, level = np.unique(column, return_index=True, return_inverse=True)[1:]
        new.setdefault(firsts[level].tobytes(), name)
    names = tuple(name for name in new.values() if np.ptp(columns[name]) > 0)
    return Known(
        names, np.stack([columns[name] for name in names], axis=1) if names else np.empty((len(places), 0), int)
    )


def levelled(values: np.ndarray, levels: int = LEVELS) -> np.ndarray:
    """Numbers (n,) as levels from 0 up: as they are where they take few values, else by quantiles."""
    distinct, level = np.unique(values, return_inverse=True)
    if len(distinct) <= levels:
        return level
    inner = np.quantile(values, np.arange(1, levels) / levels)
    return np.searchsorted(inner, values, side="right")


def information_shares(codes: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """The share of each factor's entropy that each latent carries, I(z_j; v_k) / H(v_k), (D, K) from 0 to 1.

    Latents are cut into 20 bins. What counts give too much, (bins - 1)(values - 1) / 2n nats on average, is taken off.

    Args:
        codes: (n, D).
        levels: (n, K) int.
    """
    information = metrics.mutual_information_matrix(metrics.binned(codes), levels)
    values = np.array([len(np.unique(column)) for column in levels.T])
    surplus = (BINS - 1) * (values - 1) / (2 * len(codes))
    entropies = np.array([metrics.entropy(column) for column in levels.T])
    return np.maximum(information - surplus, 0.0) / entropies


def carried_factors(shares: np.ndarray, names: tuple[str, ...]) -> list[str]:
    """For each latent the factor of which it carries most, (D, K) -> D names; empty where that is little."""
    if not names:
        return [""] * len(shares)
    best = shares.argmax(axis=1)
    return [names[factor] if row[factor] >= LEAST_SHARE else "" for factor, row in zip(best, shares, strict=True)]
