"""Public data sets of faces, downloaded by scikit-learn: Olivetti and Labeled Faces in the Wild (LFW).

scikit-learn saves downloads as pickles, and loading a pickle can run any code. Each data set is therefore downloaded
into a temporary folder, and saved here as plain arrays. scikit-learn is imported only for a download, because the
import takes a second.
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

from common.errors import UserError
from common.files import UNFINISHED, atomic_write
from data.dataset import Dataset
from data.decoding import fit_square
from data.image_cache import CACHE
from data.images import ImagesInMemory

# Rows and columns of a square with the same centre as scikit-learn's own region of 125 x 94 pixels. It reaches from
# above the brows to below the chin and from ear to ear. At the default --image-size 128, no pixel is resampled.
LFW_SQUARE = (slice(68, 196), slice(61, 189))
LFW_MANY = 500  # photographs; only one person has more
TIMEOUT = 60.0  # seconds without data, after which the download fails

log = logging.getLogger(__name__)


class Portraits(NamedTuple):
    """Photographs in their original size.

    Attributes:
        images: (n, side, side) grey or (n, side, side, 3) RGB, uint8.
        persons: (n,) str, the person on each photograph.
    """

    images: np.ndarray
    persons: np.ndarray


def olivetti(size: int = 128, channels: int = 1, cache: Path = CACHE) -> Dataset:
    """Olivetti: 400 grey portraits of 64 x 64 pixels, ten of each of 40 persons. The persons are the classes.

    Taken at AT&T Laboratories Cambridge (Samaria & Harter 1994, "Parameterisation of a Stochastic Model for Human
    Face Identification").

    Raises:
        UserError: the portraits are not in `cache` and cannot be downloaded.
    """
    portraits = _saved_or_downloaded("olivetti", _download_olivetti, cache)
    return _dataset(portraits, size, channels)._replace(classes=portraits.persons)


def lfw(size: int = 128, channels: int = 1, cache: Path = CACHE) -> Dataset:
    """Labeled Faces in the Wild, funneled: 13,233 press photographs of 5,749 persons, of most persons only one.

    From Huang et al. 2007, "Labeled Faces in the Wild" (UMass Amherst, report 07-49). The photographs of a person
    have the numbers of their files.

    Raises:
        UserError: the photographs are not in `cache` and cannot be downloaded.
    """
    return _dataset(_saved_or_downloaded("lfw", _download_lfw, cache), size, channels)


def _dataset(portraits: Portraits, size: int, channels: int) -> Dataset:
    count = len(portraits.images)
    if (pixels := portraits.images.shape[1]) < size:
        log.warning("the photographs have %d pixels and are enlarged to --image-size %d", pixels, size)
    return Dataset(
        images=ImagesInMemory(
            np.stack([fit_square(Image.fromarray(image), size, channels) for image in portraits.images])
        ),
        names=_numbered(portraits.persons.tolist()),
        label_names=(),
        labels=np.empty((count, 0), bool),
        classes=None,
        factor_names=(),
        factors=np.empty((count, 0)),
    )


def _numbered(persons: list[str]) -> tuple[str, ...]:
    """A name for each photograph: the person and the number of the photograph among those of the person."""
    seen: Counter[str] = Counter()
    names = []
    for person in persons:
        seen[person] += 1
        names.append(f"{person}-{seen[person]:04d}")
    return tuple(names)


def _download_olivetti(home: str) -> Portraits:
    from sklearn.datasets import fetch_olivetti_faces

    bunch = fetch_olivetti_faces(data_home=home)
    images = np.rint(255 * bunch.images).astype(np.uint8)
    return Portraits(images, np.array([f"person-{person + 1:02d}" for person in bunch.target]))


def _download_lfw(home: str) -> Portraits:
    from sklearn.datasets import fetch_lfw_people

    # scikit-learn always unpacks all files, and they are read below. If it were asked for all persons, it would also
    # write a pickle of all images, which takes minutes and 6 GB.
    fetch_lfw_people(data_home=home, min_faces_per_person=LFW_MANY)
    paths = sorted(Path(home, "lfw_home", "lfw_funneled").glob("*/*.jpg"))
    images = np.stack([np.asarray(Image.open(path).convert("RGB"))[LFW_SQUARE] for path in paths])
    return Portraits(images, np.array([path.parent.name for path in paths]))


def _saved_or_downloaded(name: str, download: Callable[[str], Portraits], cache: Path) -> Portraits:
    """The portraits from the folder `cache`; if they are not there, download them and save them there."""
    path = cache / f"{name}.npz"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as saved:
            return Portraits(saved["images"], saved["persons"])
    except FileNotFoundError:
        pass
    except (OSError, ValueError, EOFError, KeyError, RuntimeError, BadZipFile) as damage:
        log.warning("%s cannot be read (%s); downloading it again", path, damage)

    log.info("downloading %s; this may take minutes, and is needed only once", name)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=cache, prefix=f"{UNFINISHED}{name}-") as home, _scikit_learn_set_up():
            portraits = download(home)
        with atomic_write(path) as temporary:
            np.savez(temporary, **portraits._asdict(), allow_pickle=False)
    except (OSError, HTTPException) as failure:
        reason = " ".join(str(failure).split()) or type(failure).__name__
        raise UserError(
            f"{name} cannot be downloaded to {cache} ({reason}); "
            "try again when the network works, or pass --data faces or a folder of images"
        ) from failure
    return portraits


@contextmanager
def _scikit_learn_set_up() -> Iterator[None]:
    """Hide scikit-learn's messages about its downloads, and let a connection without data fail.

    scikit-learn has no options for this, so the settings are those of the whole process. All of them are restored
    when the block ends.
    """
    before, logger = socket.getdefaulttimeout(), logging.getLogger("sklearn")
    level = logger.level
    socket.setdefaulttimeout(TIMEOUT)
    logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings(action="ignore"), redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)
        socket.setdefaulttimeout(before)
