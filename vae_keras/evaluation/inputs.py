"""Digests of what the numbers of an evaluation depend on. A number is stale once one of its inputs has changed."""

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np

from vae_keras.evaluation.record import Inputs
from vae_keras.run_data import RunData
from vae_keras.run_folder import Row

if TYPE_CHECKING:
    from vae_keras.model import VAE


def inputs_of(vae: "VAE", data: RunData, history: list[Row]) -> Inputs:
    """The digests of a model, its images with their split and names, their labels and factors, and its history."""
    dataset, split = data.dataset, data.split
    parts = [f"{part}: {indices.tolist()}" for part, indices in split._asdict().items()]
    classes = [] if dataset.classes is None else [str(name) for name in dataset.classes]
    return {
        "model": _digest(*vae.get_weights()),
        "images": _digest(*dataset.names, *dataset.digests(), *parts),
        "labels": _digest(*dataset.label_names, *dataset.factor_names, *classes, dataset.labels, dataset.factors),
        "history": _digest(json.dumps(history)),
    }


def _digest(*pieces: str | np.ndarray) -> str:
    """A hash of texts and arrays in their order. The length of a piece is part of it, so that no two run together."""
    state = hashlib.sha256()
    for piece in pieces:
        encoded = piece.encode("utf-8", "surrogatepass") if isinstance(piece, str) else np.asarray(piece).tobytes()
        state.update(f"{len(encoded)}:".encode() + encoded)
    return state.hexdigest()[:16]
