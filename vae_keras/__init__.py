"""Variational autoencoders on faces, in Keras 3."""

from vae_keras import backend as backend  # isort: skip  (first: it loads Keras on TensorFlow, quietly)
from vae_keras import metrics
from vae_keras import optimizers as optimizers  # saved models name its class, so Keras has to know it
from vae_keras.model import VAE, build_vae
from vae_keras.runs import load_run

__all__ = ["VAE", "build_vae", "load_run", "metrics"]
