"""What every source of images gives: pictures, names, and what is known about them."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Dataset(NamedTuple):
    """Decoded images with labels, in a fixed order.

    Attributes:
        images: (n, size, size, channels) uint8.
        names: n names that stay the same from run to run; a file's path in its folder.
        label_names: L names.
        labels: (n, L) bool.
        classes: (n,) str, the classes that a split keeps in proportion; None without classes.
        factor_names: K names of ground-truth factors, empty where none are known.
        factors: (n, K) float, in the factors' units.
    """

    images: np.ndarray
    names: tuple[str, ...]
    label_names: tuple[str, ...]
    labels: np.ndarray
    classes: np.ndarray | None
    factor_names: tuple[str, ...]
    factors: np.ndarray

    def digests(self) -> list[str]:
        """One digest for each image, equal only for the same pixels."""
        return [hashlib.sha256(image.tobytes()).hexdigest()[:16] for image in self.images]

    def take(self, indices: Sequence[int] | np.ndarray) -> "Dataset":
        """The images at these indices, in this order, with what is known about them."""
        return self._replace(
            images=self.images[indices],
            names=tuple(self.names[index] for index in indices),
            labels=self.labels[indices],
            classes=None if self.classes is None else self.classes[indices],
            factors=self.factors[indices],
        )

    def label(self, name: str) -> np.ndarray:
        """The label of that name, (n,) bool."""
        return self.labels[:, self.label_names.index(name)]


def unit_pixels(images: np.ndarray) -> np.ndarray:
    """uint8 pixels of any shape as float32 in [0, 1]."""
    return images / np.float32(255)
