"""Pools of codes and factors that the scores are tried on."""

import numpy as np


def uniform_factors(rows, factors, levels, seed=0):
    """Independent and uniform on 1 .. levels, (rows, factors)."""
    return np.random.default_rng(seed).integers(1, levels + 1, (rows, factors))


def ten_factors(rows):
    """Ten factors uniform on 1 .. 10, and codes that are equal to them."""
    factors = uniform_factors(rows, 10, 10)
    return factors.astype(float), factors


def noisy_codes(factors, noise=0.5, seed=1):
    """The factors plus Gaussian noise: no two codes are equal."""
    return factors + noise * np.random.default_rng(seed).normal(size=factors.shape)


def shuffled_rows(codes, seed=2):
    """The same codes, each beside the factors of another row."""
    return np.random.default_rng(seed).permutation(codes)


def mixed_within_rows(codes, seed=3):
    """The values of every row in an order of its own, so that each dimension tells all factors alike."""
    return np.random.default_rng(seed).permuted(codes, axis=1)
