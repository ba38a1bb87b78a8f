"""Photographs that others measure on too: Olivetti and Labeled Faces in the Wild, through scikit-learn's loaders.

scikit-learn keeps what it downloads as pickles, and a pickle runs whatever code is in it when it is
loaded. So each set is fetched into a folder that is gone afterwards, and kept here as plain arrays.
"""

import io
import logging
import socket
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
from PIL import Image
from sklearn.datasets import fetch_lfw_people, fetch_olivetti_faces

from common.errors import UserError
from common.files import UNFINISHED, atomic_write
from data.dataset import Dataset
from data.decoding import fit_square
from data.rendered_faces import CACHE

# Where scikit-learn's own cut, 125 x 94, has its centre, a square of about its height: from above the brows to below
# the chin, ear to ear. 128 is also the default --image-size, at which no pixel is resampled.
LFW_SQUARE = (slice(68, 196), slice(61, 189))
LFW_MOST_SHOWN = 500  # photographs; one person has more
PATIENCE = 60.0  # seconds of silence before a connection counts as lost

log = logging.getLogger(__name__)


class Portraits(NamedTuple):
    """Photographs at the size they come in.

    Attributes:
        images: (n, side, side) grey or (n, side, side, 3) RGB, uint8.
        persons: (n,) str, who each one shows.
    """

    images: np.ndarray
    persons: np.ndarray


def olivetti(size: int = 128, channels: int = 1, cache: Path = CACHE) -> Dataset:
    """400 grey portraits of 64 x 64 pixels, ten of each of 40 persons; a split keeps the persons in proportion.

    Taken at AT&T Laboratories Cambridge (Samaria & Harter 1994, "Parameterisation of a Stochastic Model for
    Human Face Identification").

    Raises:
        UserError: they are not in `cache` and cannot be downloaded.
    """
    portraits = _kept_or_fetched("olivetti", _fetch_olivetti, cache)
    return _dataset(portraits, size, channels)._replace(classes=portraits.persons)


def lfw(size: int = 128, channels: int = 1, cache: Path = CACHE) -> Dataset:
    """13,233 press photographs of 5,749 persons, most of them there once: Labeled Faces in the Wild, funneled.

    From Huang et al. 2007, "Labeled Faces in the Wild" (UMass Amherst, report 07-49). The images of a person are
    numbered as their files are.

    Raises:
        UserError: they are not in `cache` and cannot be downloaded.
    """
    return _dataset(_kept_or_fetched("lfw", _fetch_lfw, cache), size, channels)


def _dataset(portraits: Portraits, size: int, channels: int) -> Dataset:
    count = len(portraits.images)
    return Dataset(
        images=np.stack([fit_square(Image.fromarray(image), size, channels) for image in portraits.images]),
        names=_numbered(portraits.persons.tolist()),
        label_names=(),
        labels=np.empty((count, 0), bool),
        classes=None,
        factor_names=(),
        factors=np.empty((count, 0)),
    )


def _numbered(persons: list[str]) -> tuple[str, ...]:
    """A name for each image: the person, and how many of that person there are up to it."""
    seen: Counter[str] = Counter()
    names = []
    for person in persons:
        seen[person] += 1
        names.append(f"{person}-{seen[person]:04d}")
    return tuple(names)


def _fetch_olivetti(home: str) -> Portraits:
    bunch = fetch_olivetti_faces(data_home=home)
    images = np.rint(255 * bunch.images).astype(np.uint8)
    return Portraits(images, np.array([f"person-{person + 1:02d}" for person in bunch.target]))


def _fetch_lfw(home: str) -> Portraits:
    # Everything is unpacked, whatever is asked for; asked for all of it, scikit-learn would decode to float32, shuffle
    # a copy and compress that: minutes and 6 GB for a pickle that nobody reads.
    fetch_lfw_people(data_home=home, min_faces_per_person=LFW_MOST_SHOWN)
    paths = sorted(Path(home, "lfw_home", "lfw_funneled").glob("*/*.jpg"))
    images = np.stack([np.asarray(Image.open(path).convert("RGB"))[LFW_SQUARE] for path in paths])
    return Portraits(images, np.array([path.parent.name for path in paths]))


def _kept_or_fetched(name: str, fetch: Callable[[str], Portraits], cache: Path) -> Portraits:
    """The portraits kept in `cache`; fetched, and kept there, where they are not."""
    path = cache / f"{name}.npz"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            return Portraits(kept["images"], kept["persons"])
    except FileNotFoundError:
        pass
    except (OSError, ValueError, EOFError, KeyError, RuntimeError, BadZipFile) as damage:
        log.warning("%s cannot be read (%s); downloading it again", path, damage)

    log.info("downloading %s, once; this may take minutes", name)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=cache, prefix=f"{UNFINISHED}{name}-") as home, _in_silence():
            portraits = fetch(home)
        with atomic_write(path) as temporary:
            np.savez(temporary, **portraits._asdict(), allow_pickle=False)
    except (OSError, HTTPException) as failure:
        reason = " ".join(str(failure).split()) or type(failure).__name__
        raise UserError(
            f"{name} cannot be downloaded to {cache} ({reason}); "
            "try again with a network, or pass --data faces or a folder of images"
        ) from failure
    return portraits


@contextmanager
def _in_silence() -> Iterator[None]:
    """What scikit-learn says of its downloads goes unheard; the network's silence becomes an error."""
    before, logger = socket.getdefaulttimeout(), logging.getLogger("sklearn")
    level = logger.level
    socket.setdefaulttimeout(PATIENCE)
    logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings(action="ignore"), redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)
        socket.setdefaulttimeout(before)
