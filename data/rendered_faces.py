"""Data sets of rendered faces: a fixed one kept on disk, and an endless one with few levels a factor."""

import hashlib
import inspect
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.files import atomic_write
from data import faces, factors, solids
from data.dataset import Dataset

CACHE = Path(__file__).resolve().parent.parent / "datasets"
DEFAULT_COUNT = 2_000
SEED = 0
LEVELLED_SEED = 64_000  # apart from those of data sets

log = logging.getLogger(__name__)


def rendered_faces(
    count: int = DEFAULT_COUNT, size: int = 128, channels: int = 1, seed: int = SEED, cache: Path = CACHE
) -> Dataset:
    """`count` faces with their factors and labels; rendered once, then read from `cache`.

    The two classes that a split keeps in proportion are the assignment's, smile and non_smile.
    """
    table = factors.sample_factors(count, seed)
    labels = factors.labels_of(table)
    return Dataset(
        images=_cached_images(table, size, channels, f"{seed}", cache),
        names=tuple(f"face-{index:06d}" for index in range(count)),
        label_names=factors.NAMES,
        labels=labels,
        classes=np.where(labels[:, factors.NAMES.index("smile")], "smile", "non_smile"),
        factor_names=factors.NAMES,
        factors=table,
    )


def _cached_images(table: np.ndarray, size: int, channels: int, draw: str, cache: Path) -> np.ndarray:
    """The faces of a table of factors (count, K); `draw` says which of all tables of that length it is."""
    shape = (len(table), size, size, channels)
    path = cache / f"faces-{'x'.join(map(str, shape))}-{_key(shape, draw)}.npy"
    try:
        images = np.load(path, allow_pickle=False)
        if images.shape == shape and images.dtype == np.uint8:
            return images
        log.warning("%s is not what it should be; rendering it again", path)
    except FileNotFoundError:
        pass
    except (OSError, ValueError, EOFError) as damage:
        log.warning("%s cannot be read (%s); rendering it again", path, damage)

    log.info("rendering %s faces of %d x %d pixels, once", f"{len(table):,}", size, size)
    images = faces.render_many(table, size, channels)
    try:
        with atomic_write(path) as temporary:
            np.save(temporary, images, allow_pickle=False)
    except OSError as refusal:
        log.warning("the rendered faces could not be kept in %s (%s); going on without", cache, refusal)
    return images


def _key(shape: tuple[int, ...], draw: str) -> str:
    """Everything that determines the pixels: what is asked for, the code that draws, NumPy's arithmetic."""
    code = "".join(inspect.getsource(module) for module in (factors, solids, faces))
    return hashlib.sha256(f"{shape} {draw} {np.__version__} {code}".encode()).hexdigest()[:12]


@dataclass(frozen=True)
class LevelledFaces:
    """Faces whose factors each take `levels` equally spaced values, rendered on demand.

    This is the world in which disentanglement metrics are defined: discrete, independent, uniform factors
    and as many images of any combination as one asks for.
    """

    levels: int = 5
    size: int = 128
    channels: int = 1

    def sample(self, count: int, random: np.random.Generator) -> np.ndarray:
        """Independent uniform level indices, (count, K) int."""
        return random.integers(self.levels, size=(count, len(factors.FACTORS)))

    def values(self, levels: np.ndarray) -> np.ndarray:
        """The factors at those level indices (n, K), in factor units, (n, K) float."""
        table = np.stack([factors.level_values(factor, self.levels) for factor in factors.FACTORS])
        return table[np.arange(len(table)), levels]

    def render(self, levels: np.ndarray) -> np.ndarray:
        """The faces at those level indices (n, K): (n, size, size, channels) uint8."""
        return faces.render_many(self.values(levels), self.size, self.channels)

    def draw(self, count: int, seed: int = LEVELLED_SEED, cache: Path = CACHE) -> tuple[np.ndarray, np.ndarray]:
        """`count` random faces, rendered once and then read from `cache`, and their level indices (count, K)."""
        levels = self.sample(count, np.random.default_rng(seed))
        drawn = f"{seed} of {self.levels} levels"
        return _cached_images(self.values(levels), self.size, self.channels, drawn, cache), levels
