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
    return {
        "model": _digest(*vae.get_weights()),
        "images": _of_images(data),
        "labels": _of_labels(data),
        "history": _digest(json.dumps(history)),
    }


def digest_of_data(data: RunData) -> str:
    """A digest of the images with their split and names, their labels and factors."""
    return _digest(_of_images(data), _of_labels(data))


def _of_images(data: RunData) -> str:
    parts = [f"{part}: {indices.tolist()}" for part, indices in data.split._asdict().items()]
    return _digest(*data.dataset.names, *data.dataset.digests(), *parts)


def _of_labels(data: RunData) -> str:
    dataset = data.dataset
    classes = [] if dataset.classes is None else [str(name) for name in dataset.classes]
    return _digest(*dataset.label_names, *dataset.factor_names, *classes, dataset.labels, dataset.factors)


def _digest(*pieces: str | np.ndarray) -> str:
    """A hash of texts and arrays in their order. The length of a piece is part of it, so that no two run together."""
    state = hashlib.sha256()
    for piece in pieces:
        encoded = piece.encode("utf-8", "surrogatepass") if isinstance(piece, str) else np.asarray(piece).tobytes()
        state.update(f"{len(encoded)}:".encode() + encoded)
    return state.hexdigest()[:16]
