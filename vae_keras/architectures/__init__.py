"""Encoders and decoders, one file for each architecture."""

from typing import Protocol

import keras

from vae_keras.architectures.deep import Deep
from vae_keras.architectures.table import Table


class Architecture(Protocol):
    """What `build_vae` asks of an architecture."""

    def encoder(self, image_shape: tuple[int, int, int], latent_dim: int, seed: int) -> keras.Model:
        """Pictures (batch, height, width, channels) to mean and raw log-variance (batch, 2 latents)."""

    def decoder(self, image_shape: tuple[int, int, int], latent_dim: int, seed: int) -> keras.Model:
        """Latents (batch, latents) to logits (batch, height, width, channels)."""


ARCHITECTURES: dict[str, type] = {"table": Table, "deep": Deep}

__all__ = ["ARCHITECTURES", "Architecture", "Deep", "Table"]
