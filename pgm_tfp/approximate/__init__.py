"""Approximate inference without TensorFlow, also for networks that are too large for exact inference."""

from pgm_tfp.approximate.naive_mean_field import MeanField, mean_field

__all__ = ["MeanField", "mean_field"]
