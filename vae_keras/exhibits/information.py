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
        names: K names, factors where there are any, else labels.
        levels: (n, K) int, each column with at least two values.
    """

    names: tuple[str, ...]
    levels: np.ndarray


def known_about(dataset: Dataset, places: np.ndarray) -> Known:
    """Factors, cut into levels of about as many images each, or labels, of the images at these places."""
    if dataset.factor_names:
        names, columns = dataset.factor_names, [levelled(column) for column in dataset.factors[places].T]
    else:
        names, columns = dataset.label_names, list(dataset.labels[places].T.astype(int))
    varying = [index for index, column in enumerate(columns) if np.ptp(column) > 0]
    levels = np.stack([columns[index] for index in varying], axis=1) if varying else np.empty((len(places), 0), int)
    return Known(tuple(names[index] for index in varying), levels)


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
