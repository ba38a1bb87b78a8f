"""Numbers that say how good a trained VAE is."""

from vae_keras.metrics.active_units import active_units
from vae_keras.metrics.elbo import Elbo, bits_per_dimension, elbo
from vae_keras.metrics.linear_vae import LinearVae, fit_linear_vae
from vae_keras.metrics.reconstruction import psnr, reconstruction_quality, ssim
from vae_keras.metrics.sample_quality import KernelDistance, frechet_distance, kernel_distance

__all__ = [
    "Elbo",
    "KernelDistance",
    "LinearVae",
    "active_units",
    "bits_per_dimension",
    "elbo",
    "fit_linear_vae",
    "frechet_distance",
    "kernel_distance",
    "psnr",
    "reconstruction_quality",
    "ssim",
]
