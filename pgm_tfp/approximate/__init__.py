"""Approximate inference without TensorFlow, also for networks that are too large for exact inference."""

from pgm_tfp.approximate.approximation import Approximation
from pgm_tfp.approximate.methods import (
    DEFAULT,
    METHODS,
    Estimate,
    UnreliableError,
    answers,
    infer,
    marginal,
    unreliable,
)
from pgm_tfp.approximate.naive_mean_field import MeanField, mean_field

__all__ = [
    "DEFAULT",
    "METHODS",
    "Approximation",
    "Estimate",
    "MeanField",
    "UnreliableError",
    "answers",
    "infer",
    "marginal",
    "mean_field",
    "unreliable",
]
