"""Decoded images on disk, which later runs read instead of decoding or rendering them again.

A cache is a folder with two files. `pixels` has the pixels of one image after the other, as they are. Each line of
`index.jsonl` names the images that were added together: the name of each, the size and the time of its file, its row in
`pixels`, and the digest of its pixels. What is missing is made, and added at the end of both files. A cache whose
building was interrupted, and one of a folder with new or changed images, are therefore the same case.

Pixels are written before the line that names them, so a killed process leaves at most pixels that no line names. Every
image that is read is compared with its digest. Pixels are read and not mapped: the pages of a map count as memory of
the process, and a file that gets shorter under a map ends the process without a word.
"""

import errno
import functools
import json
import logging
import math
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TextIO

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
PIXELS, INDEX, LOCK = "pixels", "index.jsonl", "lock"

Stamp = tuple[int, int] | None  # the size of a file in bytes and the time of its last change in nanoseconds
Make = Callable[[Any], DecodedImage | str]

log = logging.getLogger(__name__)


class Entry(NamedTuple):
    """What the index says about an image.

    Attributes:
        stamp: of its file when it was read; None for an image that has no file.
        row: of its pixels; None for an image that could not be made.
        content: the digest of its pixels, or the reason why it could not be made.
        warnings: what the user should know about the image.
    """

    stamp: Stamp
    row: int | None
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
        path: the file of pixels.
        image_shape: (height, width, channels).
        rows: of the images in the file, (n,) int.
        digests: of the images.
    """

    def __init__(self, path: Path, image_shape: tuple[int, int, int], rows: np.ndarray, digests: list[str]):
        self.path, self.image_shape, self.rows, self.count = path, image_shape, rows, len(rows)
        self._digests = digests

    def batch(self, indices: Indices) -> np.ndarray:
        indices = np.asarray(indices, int)
        pixels = np.empty((len(indices), *self.image_shape), np.uint8)
        if not len(indices):
            return pixels
        size = math.prod(self.image_shape)
        try:
            with self.path.open("rb", buffering=0) as file:
                for image, row in zip(pixels, self.rows[indices].tolist(), strict=True):
                    file.seek(row * size)
                    file.readinto(image.data)  # what a short file does not fill has another digest
        except OSError as reason:
            raise UserError(f"{self.path} cannot be read any more ({reason.strerror}); run again") from reason
        for image, index in zip(pixels, indices.tolist(), strict=True):
            if digest(image) != self._digests[index]:
                raise UserError(
                    f"{self.path} does not hold the pixels that were written there; remove {self.path.parent}, and run "
                    "again"
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
    rows, kept = _rows(request, entries)
    digests = [entries[request.names[place]].content for place in kept]
    images = ImagesOnDisk(folder / PIXELS, request.image_shape, rows, digests)
    return Found(images, kept, [entries[name] for name in request.names])


def _rows(request: Request, entries: Mapping[str, Entry]) -> tuple[np.ndarray, np.ndarray]:
    """The rows of the images that could be made, and their places in the request, (m,) int each."""
    rows = [entries[name].row for name in request.names]
    kept = [place for place, row in enumerate(rows) if row is not None]
    return np.array([rows[place] for place in kept], int), np.array(kept, int)


def _missing(entries: Mapping[str, Entry], request: Request) -> list[int]:
    """The places of the images that have to be made."""
    asked = enumerate(zip(request.names, request.stamps, strict=True))
    return [place for place, (name, stamp) in asked if name not in entries or entries[name].stamp != stamp]


def _read(folder: Path, request: Request) -> tuple[dict[str, Entry], bool]:
    """The entries of the index whose pixels are there, by name; and whether the index says nothing else."""
    entries: dict[str, Entry] = {}
    try:
        header, *lines, last = (folder / INDEX).read_text(encoding="utf-8").split("\n")
        stored = (folder / PIXELS).stat().st_size // request.image_bytes
        if json.loads(header) != _header(request):
            raise ValueError(f"its first line is {header}")
        for line in lines:
            for name, stamp, row, content, warnings in json.loads(line):
                entries[name] = Entry(stamp and tuple(stamp), row, content, tuple(warnings))
    except FileNotFoundError:
        return {}, False
    except (ValueError, TypeError, AttributeError) as damage:
        log.warning("%s is damaged (%s); the images are made again", folder / INDEX, damage)
        return {}, False
    there = {name: entry for name, entry in entries.items() if entry.row is None or entry.row < stored}
    if lost := len(entries) - len(there):
        log.warning("%s is cut short; %d images are made again", folder / PIXELS, lost)
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
    rows = 1 + max((entry.row for entry in entries.values() if entry.row is not None), default=-1)
    if not clean:
        write_text(folder / INDEX, json.dumps(_header(request)) + "\n" + (_line(entries) if entries else ""))
    with (folder / PIXELS).open("ab") as pixels, (folder / INDEX).open("a", encoding="utf-8") as index:
        pixels.truncate(rows * request.image_bytes)

        entries |= _make(request, missing, rows, functools.partial(_write_block, pixels, index))
        for file in (pixels, index):
            os.fsync(file.fileno())
    return entries


def _write_block(pixels: BinaryIO, index: TextIO, block: np.ndarray, added: Mapping[str, Entry]) -> None:
    """Add the pixels of a block, and then the line that names them."""
    pixels.write(block.data)
    pixels.flush()
    index.write(_line(added))
    index.flush()


def _made_in_memory(request: Request) -> Found:
    blocks = [np.empty((0, *request.image_shape), np.uint8)]
    entries = _make(request, range(len(request.names)), 0, lambda block, _: blocks.append(block))
    rows, kept = _rows(request, entries)
    return Found(ImagesInMemory(np.concatenate(blocks)[rows]), kept, [entries[name] for name in request.names])


def _make(
    request: Request, places: Sequence[int], row: int, add: Callable[[np.ndarray, dict[str, Entry]], None]
) -> dict[str, Entry]:
    """The entries of the images at these places of the request, which are made on all cores.

    Args:
        row: of the first of these images.
        add: called for each block with its pixels and its entries.
    """
    entries: dict[str, Entry] = {}
    blocks = [places[start : start + BLOCK] for start in range(0, len(places), BLOCK)]
    parallel = Parallel(
        n_jobs=-1, backend="loky" if len(places) >= PROCESSES_FROM else "threading", return_as="generator"
    )
    made = parallel(
        delayed(_make_block)(request.make, [request.arguments[place] for place in block]) for block in blocks
    )

    def one_by_one() -> Iterator[int]:
        nonlocal row
        for block, (pixels, told) in zip(blocks, made, strict=True):
            added = {}
            for place, (is_image, content, warnings) in zip(block, told, strict=True):
                added[request.names[place]] = Entry(request.stamps[place], row if is_image else None, content, warnings)
                row += is_image
            add(pixels, added)
            entries.update(added)
            yield from block

    for _ in tracked(one_by_one(), request.what.format(f"{len(places):,}"), len(places)):
        pass
    return entries


def _make_block(make: Make, arguments: Sequence[Any]) -> tuple[np.ndarray, list[tuple[bool, str, tuple[str, ...]]]]:
    """The pixels of the images that could be made, and for each: whether it could, its digest or why not, warnings."""
    images: list[np.ndarray] = []
    told: list[tuple[bool, str, tuple[str, ...]]] = []
    for argument in arguments:
        result = make(argument)
        if isinstance(result, str):
            told.append((False, result, ()))
        else:
            images.append(result.pixels)
            told.append((True, digest(result.pixels), result.warnings))
    return np.array(images, np.uint8), told


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
