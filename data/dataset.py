"""The data set that every source gives: images, their names, labels and factors."""

from typing import NamedTuple

import numpy as np

from data.images import Images, Indices


class Dataset(NamedTuple):
    """Decoded images with labels, in a fixed order.

    Attributes:
        images: n images of uint8 pixels, which are read when they are asked for.
        names: n names that are the same in every run; for a file, its path in the folder.
        label_names: the names of L labels.
        labels: (n, L) bool.
        classes: (n,) str, the class of each image; a split keeps the classes in proportion. None without classes.
        factor_names: the names of K ground-truth factors; empty if no factors are known.
        factors: (n, K) float, in the units of the factors.
    """

    images: Images
    names: tuple[str, ...]
    label_names: tuple[str, ...]
    labels: np.ndarray
    classes: np.ndarray | None
    factor_names: tuple[str, ...]
    factors: np.ndarray

    def digests(self) -> list[str]:
        """A hash of each image; two images have the same hash only if all their pixels are the same."""
        return self.images.digests()

    def take(self, indices: Indices) -> "Dataset":
        """The images at these indices, in this order, with their names, labels, classes and factors."""
        return self._replace(
            images=self.images.part(indices),
            names=tuple(self.names[index] for index in indices),
            labels=self.labels[indices],
            classes=None if self.classes is None else self.classes[indices],
            factors=self.factors[indices],
        )

    def label(self, name: str) -> np.ndarray:
        """The label with this name, (n,) bool."""
        return self.labels[:, self.label_names.index(name)]
