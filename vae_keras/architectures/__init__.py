"""Encoders and decoders, one file for each architecture."""

from typing import ClassVar, Protocol

import keras

from vae_keras.architectures.deep import Deep
from vae_keras.architectures.table import Table


class Architecture(Protocol):
    """What `build_vae` asks of an architecture.

    `usual_precision` is the one of `vae_keras.model.PRECISIONS` that "auto" stands for. bfloat16 is faster on a
    CPU for both (benchmarks/throughput.py), but the table network then learns less in an epoch.
    """

    usual_precision: ClassVar[str]

    def encoder(self, image_shape: tuple[int, int, int], latent_dim: int, seed: int) -> keras.Model:
        """Pictures (batch, height, width, channels) to mean and raw log-variance (batch, 2 latents)."""

    def decoder(self, image_shape: tuple[int, int, int], latent_dim: int, seed: int) -> keras.Model:
        """Latents (batch, latents) to logits (batch, height, width, channels)."""


ARCHITECTURES: dict[str, type] = {"table": Table, "deep": Deep}

__all__ = ["ARCHITECTURES", "Architecture", "Deep", "Table"]
