"""Data sets of rendered faces: one of a fixed size, and one of any size in which each factor takes few levels."""

import functools
import hashlib
import inspect
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data import face_painting, face_shapes, faces, factors, solids
from data.dataset import Dataset
from data.decoding import DecodedImage
from data.image_cache import CACHE, Request, cached_images
from data.images import Images

DEFAULT_COUNT = 2_000
SEED = 0
RENDERER = (factors, solids, face_shapes, face_painting, faces)  # the modules that determine the pixels of a face
LEVELLED_SEED = 64_000  # not used by any data set


def rendered_faces(
    count: int = DEFAULT_COUNT, size: int = 128, channels: int = 1, seed: int = SEED, cache: Path = CACHE
) -> Dataset:
    """`count` faces with their factors and labels; rendered once, then read from the folder `cache`.

    The classes are those of the assignment: smile and non_smile.
    """
    values = factors.sample_factors(count, seed)
    labels = factors.labels_of(values)
    return Dataset(
        images=_cached_faces(values, size, channels, f"{seed}", cache),
        names=tuple(f"face-{index:06d}" for index in range(count)),
        label_names=factors.NAMES,
        labels=labels,
        classes=np.where(labels[:, factors.NAMES.index("smile")], "smile", "non_smile"),
        factor_names=factors.NAMES,
        factors=values,
    )


def _cached_faces(values: np.ndarray, size: int, channels: int, draw: str, cache: Path) -> Images:
    """The faces with these factors (count, K), from the cache or rendered; `draw` names this choice of factors."""
    count, shape = len(values), (size, size, channels)
    folder = cache / f"faces-{'x'.join(map(str, (count, *shape)))}-{_key((count, *shape), draw)}"
    request = Request(
        source="rendered faces",
        image_shape=shape,
        names=[f"{index}" for index in range(count)],
        stamps=[None] * count,
        arguments=[*values],
        make=functools.partial(_rendered, size=size, channels=channels),
        what=f"rendering {{}} faces of {size} x {size} pixels",
    )
    return cached_images(folder, request).images


def _rendered(values: np.ndarray, size: int, channels: int) -> DecodedImage:
    return DecodedImage(faces.render(values, size, channels))


def _key(shape: tuple[int, ...], draw: str) -> str:
    """A hash of all that determines the pixels: the shape, the factors, the rendering code, the version of NumPy."""
    return hashlib.sha256(f"{shape} {draw} {np.__version__} {rendering_code()}".encode()).hexdigest()[:12]


def rendering_code() -> str:
    """The code that determines the pixels of a face; caches of rendered faces depend on it."""
    return "".join(inspect.getsource(module) for module in RENDERER)


@dataclass(frozen=True)
class LevelledFaces:
    """Faces rendered on demand; each factor takes one of `levels` equally spaced values.

    Disentanglement metrics are defined for such data: the factors are discrete, independent and uniform, and there
    are images of every combination.
    """

    levels: int = 5
    size: int = 128
    channels: int = 1

    def sample(self, count: int, random: np.random.Generator) -> np.ndarray:
        """Indices of levels, uniform and independent, (count, K) int."""
        return random.integers(self.levels, size=(count, len(factors.FACTORS)))

    def values(self, levels: np.ndarray) -> np.ndarray:
        """The factors for these indices of levels (n, K), in the factors' units, (n, K) float."""
        values = np.stack([factors.level_values(factor, self.levels) for factor in factors.FACTORS])
        return values[np.arange(len(values)), levels]

    def render(self, levels: np.ndarray) -> np.ndarray:
        """The faces for these indices of levels (n, K): (n, size, size, channels) uint8."""
        return faces.render_many(self.values(levels), self.size, self.channels)

    def draw(self, count: int, seed: int = LEVELLED_SEED, cache: Path = CACHE) -> tuple[Images, np.ndarray]:
        """`count` random faces, rendered once and then read from `cache`; and their indices of levels (count, K)."""
        levels = self.sample(count, np.random.default_rng(seed))
        drawn = f"{seed} of {self.levels} levels"
        return _cached_faces(self.values(levels), self.size, self.channels, drawn, cache), levels
