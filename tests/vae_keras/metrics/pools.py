"""Pools of codes and factors for the tests of the scores."""

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
    """The same codes in random order, so that they tell nothing about the factors of their rows."""
    return np.random.default_rng(seed).permutation(codes)


def mixed_within_rows(codes, seed=3):
    """The codes with the values of each row shuffled, so that each dimension tells equally much about all factors."""
    return np.random.default_rng(seed).permuted(codes, axis=1)
