"""Decoded images on disk, which later runs read instead of decoding or rendering them again.

A cache is a folder. `pixels-*` have the pixels of one image after the other, as they are. Each line of `index.jsonl`
names images that were added together: the name of each, the size and the time of its file, the file of its pixels and
its row there, and the digest of its pixels. What is missing is made, and added. A cache whose building was interrupted,
and one of a folder with new or changed images, are therefore the same case.

Pixels are written before the line that names them, so a killed process leaves at most pixels that no line names. Each
builder writes a file of its own: workers of a killed one, which live a moment longer, cannot write into it. Every image
that is read is compared with its digest. Pixels are read and not mapped: the pages of a map count as memory of the
process, and a file that gets shorter under a map ends the process without a word.
"""

import errno
import json
import logging
import math
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from filelock import FileLock, Timeout
from joblib import Parallel, delayed

from common.errors import UserError
from common.files import write_text
from common.progress import tracked
from data.decoding import DecodedImage
from data.images import Images, ImagesInMemory, Indices, digest

CACHE = Path(__file__).resolve().parent.parent / "datasets"
CACHE_HELP = "the folder that keeps images after they were downloaded, rendered or decoded (default: datasets, here)"
FORMAT = 1
BLOCK = 64  # images that a worker makes at once, and that one line of the index names
PROCESSES_FROM = 200  # images; fewer images are made by threads before processes have started
WORTH_TELLING = 64 * 2**20  # bytes
PIXELS, INDEX, LOCK = "pixels-", "index.jsonl", "lock"

Stamp = tuple[int, int] | None  # the size of a file in bytes and the time of its last change in nanoseconds
Make = Callable[[Any], DecodedImage | str]

log = logging.getLogger(__name__)


class Entry(NamedTuple):
    """What the index says about an image.

    Attributes:
        stamp: of its file when it was read; None for an image that has no file.
        at: the file of its pixels and its row there; None for an image that could not be made.
        content: the digest of its pixels, or the reason why it could not be made.
        warnings: what the user should know about the image.
    """

    stamp: Stamp
    at: tuple[str, int] | None
    content: str
    warnings: tuple[str, ...] = ()


class Request(NamedTuple):
    """The images that somebody asks for.

    Attributes:
        source: where they come from, for people who look into a cache.
        image_shape: (height, width, channels).
        names: n different names.
        stamps: n stamps; an image in the cache counts only if it has the same one.
        arguments: n arguments of `make`.
        make: makes an image from its argument, or gives a reason why it cannot. It is called in other processes.
        what: the step in words, with a place for the number of images: "decoding {} images".
    """

    source: str
    image_shape: tuple[int, int, int]
    names: Sequence[str]
    stamps: Sequence[Stamp]
    arguments: Sequence[Any]
    make: Make
    what: str

    @property
    def image_bytes(self) -> int:
        """The size of an image in the cache."""
        return math.prod(self.image_shape)


class Found(NamedTuple):
    """The images that could be made, and what is known about all.

    Attributes:
        images: m images.
        kept: their places in the request, (m,) int, increasing.
        entries: one for each name of the request.
    """

    images: Images
    kept: np.ndarray
    entries: list[Entry]


class ImagesOnDisk(Images):
    """Images that are read from the pixels of a cache.

    Args:
        folder: the cache.
        image_shape: (height, width, channels).
        entries: of the images, in their order.
    """

    def __init__(self, folder: Path, image_shape: tuple[int, int, int], entries: Sequence[Entry]):
        self.folder, self.image_shape, self.count = folder, image_shape, len(entries)
        places = [entry.at for entry in entries if entry.at]
        self.files = sorted({file for file, _ in places})
        number = {file: index for index, file in enumerate(self.files)}
        self._file = np.array([number[file] for file, _ in places], int)
        self._row = np.array([row for _, row in places], int)
        self._digests = [entry.content for entry in entries]

    def batch(self, indices: Indices) -> np.ndarray:
        indices = np.asarray(indices, int)
        pixels = np.empty((len(indices), *self.image_shape), np.uint8)
        files, rows = self._file[indices], self._row[indices] * math.prod(self.image_shape)
        for number in np.unique(files):
            path, here = self.folder / self.files[number], np.flatnonzero(files == number)
            try:
                with path.open("rb", buffering=0) as file:
                    for place, start in zip(here.tolist(), rows[here].tolist(), strict=True):
                        file.seek(start)
                        file.readinto(pixels[place].data)  # what a short file does not fill has another digest
            except OSError as reason:
                raise UserError(f"{path} cannot be read any more ({reason.strerror}); run again") from reason
        for image, index in zip(pixels, indices.tolist(), strict=True):
            if digest(image) != self._digests[index]:
                raise UserError(
                    f"{self.folder} does not hold the pixels that were written there; remove it, and run again"
                )
        return pixels

    def digests(self) -> list[str]:
        return self._digests


def cached_images(folder: Path, request: Request) -> Found:
    """The images from the cache in this folder; those that are missing or have changed are made and added first.

    Of several processes that ask at once, one makes the images. If the folder cannot be written, the images are made in
    memory, and a warning says so.

    Raises:
        UserError: there is no room for the pixels.
    """
    try:
        entries, _ = _read(folder, request)
        if _missing(entries, request):
            folder.mkdir(parents=True, exist_ok=True)
            with _one_process_at_a_time(folder):
                entries = _completed(folder, request)
    except OSError as refusal:
        if refusal.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UserError(
                f"no room is left in {folder.parent}; make room and run again, which goes on from there, or pass "
                "another --cache"
            ) from refusal
        log.warning("%s cannot be written (%s); the next run makes these images again", folder, refusal.strerror)
        return _made_in_memory(request)
    return _found(request, entries, lambda asked: ImagesOnDisk(folder, request.image_shape, asked))


def _found(request: Request, entries: Mapping[str, Entry], images_of: Callable[[Sequence[Entry]], Images]) -> Found:
    asked = [entries[name] for name in request.names]
    kept = [place for place, entry in enumerate(asked) if entry.at]
    return Found(images_of([asked[place] for place in kept]), np.array(kept, int), asked)


def _missing(entries: Mapping[str, Entry], request: Request) -> list[int]:
    """The places of the images that have to be made."""
    asked = enumerate(zip(request.names, request.stamps, strict=True))
    return [place for place, (name, stamp) in asked if name not in entries or entries[name].stamp != stamp]


def _read(folder: Path, request: Request) -> tuple[dict[str, Entry], bool]:
    """The entries of the index whose pixels are there, by name; and whether the index says nothing else."""
    entries: dict[str, Entry] = {}
    try:
        header, *lines, last = (folder / INDEX).read_text(encoding="utf-8").split("\n")
        if json.loads(header) != _header(request):
            raise ValueError(f"its first line is {header}")
        for line in lines:
            for name, stamp, at, content, warnings in json.loads(line):
                entries[name] = Entry(stamp and tuple(stamp), at and (str(at[0]), int(at[1])), content, tuple(warnings))
    except FileNotFoundError:
        return {}, False
    except (ValueError, TypeError, AttributeError, LookupError) as damage:
        log.warning("%s is damaged (%s); the images are made again", folder / INDEX, damage)
        return {}, False
    rows = {path.name: path.stat().st_size // request.image_bytes for path in folder.glob(f"{PIXELS}*")}
    there = {name: entry for name, entry in entries.items() if not entry.at or entry.at[1] < rows.get(entry.at[0], 0)}
    if lost := len(entries) - len(there):
        log.warning("pixels in %s are cut short; %d images are made again", folder, lost)
    return there, not lost and not last  # a line that was not finished is no entry


def _header(request: Request) -> dict[str, Any]:
    return {"format": FORMAT, "source": request.source, "image_shape": list(request.image_shape)}


def _line(entries: Mapping[str, Entry]) -> str:
    return json.dumps([[name, *entry] for name, entry in entries.items()], separators=(",", ":")) + "\n"


def _completed(folder: Path, request: Request) -> dict[str, Entry]:
    """The entries of all images of the request, after those that are missing have been made and added."""
    entries, clean = _read(folder, request)
    missing = _missing(entries, request)
    _check_room(folder, request, len(missing))
    if not clean:
        write_text(folder / INDEX, json.dumps(_header(request)) + "\n" + (_line(entries) if entries else ""))
    used = {entry.at[0] for entry in entries.values() if entry.at}
    for path in folder.glob(f"{PIXELS}*"):
        if path.name not in used:
            path.unlink()
    pixels = folder / f"{PIXELS}{secrets.token_hex(4)}"
    pixels.touch(exist_ok=False)
    with (folder / INDEX).open("a", encoding="utf-8") as index:

        def add(added: Mapping[str, Entry], _: np.ndarray | None) -> None:
            entries.update(added)
            index.write(_line(added))
            index.flush()

        _make(request, missing, pixels, add)
    return entries


def _made_in_memory(request: Request) -> Found:
    """All images, without a cache."""
    entries: dict[str, Entry] = {}
    blocks = [np.empty((0, *request.image_shape), np.uint8)]

    def add(added: Mapping[str, Entry], block: np.ndarray | None) -> None:
        entries.update(added)
        if block is not None:
            blocks.append(block)

    _make(request, range(len(request.names)), None, add)

    def images(asked: Sequence[Entry]) -> Images:
        return ImagesInMemory(np.concatenate(blocks)[[entry.at[1] for entry in asked if entry.at]])

    return _found(request, entries, images)


def _make(
    request: Request,
    places: Sequence[int],
    pixels: Path | None,
    add: Callable[[Mapping[str, Entry], np.ndarray | None], None],
) -> None:
    """Make the images at these places of the request, on all cores.

    Args:
        pixels: the file to which the workers write; without it, `add` gets the pixels.
        add: called for each block with its entries.
    """
    starts = range(0, len(places), BLOCK)
    blocks = [places[start : start + BLOCK] for start in starts]
    parallel = Parallel(
        n_jobs=-1, backend="loky" if len(places) >= PROCESSES_FROM else "threading", return_as="generator"
    )
    made = parallel(
        delayed(_make_block)(
            request.make, [request.arguments[place] for place in block], request.image_shape, pixels, start
        )
        for block, start in zip(blocks, starts, strict=True)
    )
    name = pixels.name if pixels else ""

    def one_by_one() -> Iterator[int]:
        for block, start, (told, kept) in zip(blocks, starts, made, strict=True):
            add(
                {
                    request.names[place]: Entry(request.stamps[place], (name, row) if is_image else None, *rest)
                    for row, (place, (is_image, *rest)) in enumerate(zip(block, told, strict=True), start)
                },
                kept,
            )
            yield from block

    for _ in tracked(one_by_one(), request.what.format(f"{len(places):,}"), len(places)):
        pass


Told = tuple[bool, str, tuple[str, ...]]  # whether an image was made, its digest or the reason why not, warnings


def _make_block(
    make: Make, arguments: Sequence[Any], image_shape: tuple[int, int, int], pixels: Path | None, row: int
) -> tuple[list[Told], np.ndarray | None]:
    """Make images, and write them from this row on; an image that cannot be made leaves its row empty."""
    told: list[Told] = []
    block = np.zeros((len(arguments), *image_shape), np.uint8)
    for place, argument in enumerate(arguments):
        result = make(argument)
        if isinstance(result, str):
            told.append((False, result, ()))
        else:
            block[place] = result.pixels
            told.append((True, digest(result.pixels), result.warnings))
    if not pixels:
        return told, block
    with pixels.open("r+b", buffering=0) as file:
        file.seek(row * math.prod(image_shape))
        file.write(block.data)
    return told, None


def _check_room(folder: Path, request: Request, images: int) -> None:
    """Say how much room the pixels of new images need.

    Raises:
        UserError: there is not so much room.
    """
    needed, free = images * request.image_bytes, shutil.disk_usage(folder).free
    step = request.what.format(f"{images:,}")
    if needed > free:
        raise UserError(
            f"{step}: their pixels need {needed / 2**20:,.0f} MiB in {folder.parent}, where {free / 2**20:,.0f} MiB "
            "are free; make room, or pass another --cache or a smaller --image-size"
        )
    if needed >= WORTH_TELLING:
        log.info("%s; their pixels take %.3g MiB in %s, where later runs read them", step, needed / 2**20, folder)


@contextmanager
def _one_process_at_a_time(folder: Path) -> Iterator[None]:
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.info("another process makes these images; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
