"""The images of a data set, which are read when they are asked for: in memory here, from a file in `data.image_cache`.

A data set may be larger than memory, so code that needs many images takes them in batches.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

Indices = Sequence[int] | np.ndarray
AT_ONCE = 1_024  # images, where all are read


class Images(ABC):
    """Images of one size, in a fixed order.

    Attributes:
        count: the number of images.
        image_shape: (height, width, channels).
        dtype: of the pixels: uint8 for the images of a data set, with values from 0 to 255.
    """

    count: int
    image_shape: tuple[int, int, int]
    dtype: np.dtype = np.dtype(np.uint8)

    @abstractmethod
    def batch(self, indices: Indices) -> np.ndarray:
        """The images at these indices, in this order: a new array (len(indices), height, width, channels).

        Raises:
            IndexError: an index is no image; -1 is the last one.
            TypeError: the indices are a mask.
            UserError: the images cannot be read any more.
        """

    def __len__(self) -> int:
        return self.count

    def batches(self, size: int) -> Iterator[np.ndarray]:
        """All images in their order, `size` at a time; the last batch may be smaller."""
        for start in range(0, self.count, size):
            yield self.batch(np.arange(start, min(start + size, self.count)))

    def all(self) -> np.ndarray:
        """All images as one array, (count, height, width, channels). It may be larger than memory."""
        return self.batch(np.arange(self.count))

    def digests(self) -> list[str]:
        """The `digest` of each image."""
        return self._computed_digests

    @cached_property
    def _computed_digests(self) -> list[str]:
        return [digest(image) for batch in self.batches(AT_ONCE) for image in batch]

    def part(self, indices: Indices) -> "Images":
        """The images at these indices, in this order. None of them is read now."""
        return PartOfImages(self, as_indices(indices))


class ImagesInMemory(Images):
    """Images that are one array.

    Args:
        pixels: (n, height, width, channels).
    """

    def __init__(self, pixels: np.ndarray):
        self.pixels = pixels
        self.count, height, width, channels = pixels.shape
        self.image_shape = height, width, channels
        self.dtype = pixels.dtype

    def batch(self, indices: Indices) -> np.ndarray:
        return self.pixels[as_indices(indices)]


class PartOfImages(Images):
    """Some of other images.

    Args:
        whole: the other images.
        indices: (n,) int, into `whole`.
    """

    def __init__(self, whole: Images, indices: np.ndarray):
        self.whole, self.indices = whole, indices
        self.count, self.image_shape, self.dtype = len(indices), whole.image_shape, whole.dtype

    def batch(self, indices: Indices) -> np.ndarray:
        return self.whole.batch(self.indices[as_indices(indices)])

    def digests(self) -> list[str]:
        digests = self.whole.digests()
        return [digests[index] for index in self.indices]


class JoinedImages(Images):
    """Images of several others.

    Args:
        others: of the same shape.
        places: for each image the number of the others that have it, and its index there.
    """

    def __init__(self, others: Sequence[Images], places: Sequence[tuple[int, int]]):
        self.others, self.count, self.image_shape = others, len(places), others[0].image_shape
        self._other = np.array([other for other, _ in places], int)
        self._index = np.array([index for _, index in places], int)

    def batch(self, indices: Indices) -> np.ndarray:
        indices = as_indices(indices)
        pixels = np.empty((len(indices), *self.image_shape), self.dtype)
        for number, images in enumerate(self.others):
            here = self._other[indices] == number
            pixels[here] = images.batch(self._index[indices[here]])
        return pixels


def as_indices(indices: Indices) -> np.ndarray:
    """The indices, (n,) int.

    Raises:
        TypeError: they are a mask.
    """
    array = np.asarray(indices)
    if array.dtype == bool:
        raise TypeError("a mask is no index; pass np.flatnonzero(mask)")
    return array.astype(int)


def images_of(images: Images | np.ndarray) -> Images:
    """The images; an array (n, height, width, channels) becomes images in memory."""
    return images if isinstance(images, Images) else ImagesInMemory(images)


def digest(image: np.ndarray) -> str:
    """A hash of one image (height, width, channels); two images have the same hash only if all pixels are the same."""
    return hashlib.sha256(image.tobytes()).hexdigest()[:16]


def unit_pixels(images: np.ndarray) -> np.ndarray:
    """uint8 pixels, of any shape, as float32 in [0, 1]."""
    return images / np.float32(255)
