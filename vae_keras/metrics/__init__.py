"""Numbers that say how good a trained VAE is."""

from vae_keras.metrics.active_units import active_units
from vae_keras.metrics.elbo import Elbo, bits_per_dimension, elbo
from vae_keras.metrics.reconstruction import psnr, ssim

__all__ = ["Elbo", "active_units", "bits_per_dimension", "elbo", "psnr", "ssim"]
