"""Encoders and decoders, one file for each architecture."""

from vae_keras.architectures.architecture import PRECISIONS, Architecture
from vae_keras.architectures.deep import Deep
from vae_keras.architectures.residual import Residual
from vae_keras.architectures.table import Table
from vae_keras.registry import Registry

ARCHITECTURES: Registry = {"table": Table, "deep": Deep, "residual": Residual}

__all__ = ["ARCHITECTURES", "PRECISIONS", "Architecture", "Deep", "Residual", "Table"]
