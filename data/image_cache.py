"""Decoded images on disk, which later runs read instead of decoding or rendering them again.

A cache is a folder. `pixels-*` have the pixels of one image after the other, as they are. Each line of `index.jsonl`
names images that were added together: the name of each, the size and the times of its file, the file of its pixels and
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
import os
import secrets
import shutil
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from filelock import FileLock, Timeout
from joblib import Parallel, delayed

from common.errors import UserError
from common.files import write_text
from common.progress import tracked
from data.decoding import DecodedImage
from data.images import Images, ImagesInMemory, Indices, JoinedImages, as_indices, digest

CACHE = Path(__file__).resolve().parent.parent / "datasets"
CACHE_HELP = "the folder that keeps images after they were downloaded, rendered or decoded (default: datasets, here)"
FORMAT = 1
BLOCK, BLOCK_BYTES = 64, 32 * 2**20  # the most that a worker makes at once, and that one line of the index names
PROCESSES_FROM = 200  # images; fewer images are made by threads before processes have started
WORTH_TELLING = 64 * 2**20  # bytes
PIXELS, INDEX, LOCK = "pixels-", "index.jsonl", "lock"

Stamp = tuple[int, ...] | None  # the size of a file in bytes, and the times of its changes in nanoseconds
Make = Callable[[Any], DecodedImage | str]

log = logging.getLogger(__name__)


class Entry(NamedTuple):
    """What the index says about an image.

    Attributes:
        stamp: of its file when it was read; None for an image that has no file.
        file: the file of its pixels.
        row: of its pixels in this file.
        digest: of its pixels.
        warnings: what the user should know about the image.
    """

    stamp: Stamp
    file: str
    row: int
    digest: str
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
        warnings: for each of these images, what the user should know about it.
        reasons: by place in the request, why an image could not be made. It is tried again next time.
    """

    images: Images
    kept: np.ndarray
    warnings: list[tuple[str, ...]]
    reasons: dict[int, str]


class ImagesOnDisk(Images):
    """Images that are read from the pixels of a cache. Its files stay open, so another process may remove them.

    Args:
        folder: the cache.
        image_shape: (height, width, channels).
        entries: of the images, in their order.

    Raises:
        OSError: a file cannot be opened.
    """

    def __init__(self, folder: Path, image_shape: tuple[int, int, int], entries: Sequence[Entry]):
        self.folder, self.image_shape, self.count = folder, image_shape, len(entries)
        names = sorted({entry.file for entry in entries})
        self._files = [os.open(folder / name, os.O_RDONLY | getattr(os, "O_BINARY", 0)) for name in names]
        for file in self._files:
            weakref.finalize(self, os.close, file)
        number = {name: index for index, name in enumerate(names)}
        self._file = [number[entry.file] for entry in entries]
        self._row = [entry.row for entry in entries]
        self._digests = [entry.digest for entry in entries]
        self._reading = threading.Lock()

    def batch(self, indices: Indices) -> np.ndarray:
        places = as_indices(indices)
        pixels = np.empty((len(places), *self.image_shape), np.uint8)
        size = math.prod(self.image_shape)
        for image, index in zip(pixels, places.tolist(), strict=True):
            try:
                with self._reading:
                    os.lseek(self._files[self._file[index]], self._row[index] * size, os.SEEK_SET)
                    content = os.read(self._files[self._file[index]], size)
            except OSError as reason:
                raise UserError(f"{self.folder} cannot be read any more ({reason.strerror}); run again") from reason
            read = np.frombuffer(content, np.uint8)
            if digest(read) != self._digests[index]:
                raise UserError(
                    f"{self.folder} does not hold the pixels that were written there; remove it, and run again"
                )
            image[...] = read.reshape(self.image_shape)
        return pixels

    def digests(self) -> list[str]:
        return self._digests


def cached_images(folder: Path, request: Request) -> Found:
    """The images from the cache in this folder; those that are missing or have changed are made and added first.

    Of several processes that ask at once, one makes the images. If the folder cannot be written, the missing images are
    made in memory, and a warning says so.

    Raises:
        UserError: there is no room for the pixels.
    """
    entries, _ = _read(folder, request)
    reasons: dict[str, str] = {}
    if missing := _missing(entries, request):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with _one_process_at_a_time(folder):
                entries, reasons = _completed(folder, request)
        except OSError as refusal:
            if refusal.errno in (errno.ENOSPC, errno.EDQUOT):
                raise UserError(
                    f"no room is left in {folder.parent}, or for temporary files; make room and run again, which goes "
                    "on from there, or pass another --cache"
                ) from refusal
            log.warning(
                "%s cannot be written (%s); %d images are made in memory, and again in the next run",
                folder,
                refusal.strerror,
                len(missing),
            )
            return _with_missing_in_memory(folder, request, entries, missing)
    kept = [place for place, name in enumerate(request.names) if name not in reasons]
    asked = [entries[request.names[place]] for place in kept]
    return Found(
        ImagesOnDisk(folder, request.image_shape, asked) if asked else _no_images(request),
        np.array(kept, int),
        [entry.warnings for entry in asked],
        {place: reasons[name] for place, name in enumerate(request.names) if name in reasons},
    )


def _no_images(request: Request) -> Images:
    return ImagesInMemory(np.empty((0, *request.image_shape), np.uint8))


def _with_missing_in_memory(
    folder: Path, request: Request, entries: Mapping[str, Entry], missing: Sequence[int]
) -> Found:
    added: dict[str, Entry] = {}
    reasons: dict[str, str] = {}
    blocks: list[np.ndarray] = []

    def add(block: Mapping[str, Entry], failed: Mapping[str, str], pixels: np.ndarray | None) -> None:
        added.update(block)
        reasons.update(failed)
        if pixels is not None:
            blocks.append(pixels)

    _make(request, missing, None, add)
    here = {request.names[place] for place in missing}
    kept = [place for place, name in enumerate(request.names) if name not in reasons]
    names = [request.names[place] for place in kept]
    on_disk = [entries[name] for name in names if name not in here]
    parts = [
        ImagesOnDisk(folder, request.image_shape, on_disk) if on_disk else _no_images(request),
        ImagesInMemory(np.concatenate([_no_images(request).all(), *blocks])),
    ]
    places, earlier = [], 0
    for name in names:
        places.append((1, added[name].row) if name in here else (0, earlier))
        earlier += name not in here
    return Found(
        JoinedImages(parts, places),
        np.array(kept, int),
        [(added if name in here else entries)[name].warnings for name in names],
        {place: reasons[name] for place, name in enumerate(request.names) if name in reasons},
    )


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
            for name, stamp, file, row, of_pixels, warnings in json.loads(line):
                entries[name] = Entry(stamp and tuple(stamp), str(file), int(row), str(of_pixels), tuple(warnings))
    except (FileNotFoundError, NotADirectoryError):
        return {}, False
    except OSError as refusal:
        log.warning("%s cannot be read (%s)", folder / INDEX, refusal.strerror)
        return {}, False
    except (ValueError, TypeError, AttributeError, LookupError) as damage:
        log.warning("%s is damaged (%s); the images are made again", folder / INDEX, damage)
        return {}, False
    rows = {file: _size(folder / file) // request.image_bytes for file in {entry.file for entry in entries.values()}}
    there = {name: entry for name, entry in entries.items() if entry.row < rows[entry.file]}
    if lost := len(entries) - len(there):
        log.warning("pixels in %s are cut short; %d images are made again", folder, lost)
    return there, not lost and not last  # a line that was not finished is no entry


def _size(path: Path) -> int:
    """The size of a file in bytes; 0 if it is gone or cannot be read."""
    try:
        return path.stat().st_size if os.access(path, os.R_OK) else 0
    except OSError:
        return 0


def _header(request: Request) -> dict[str, Any]:
    return {"format": FORMAT, "source": request.source, "image_shape": list(request.image_shape)}


def _line(entries: Mapping[str, Entry]) -> str:
    return json.dumps([[name, *entry] for name, entry in entries.items()], separators=(",", ":")) + "\n"


def _completed(folder: Path, request: Request) -> tuple[dict[str, Entry], dict[str, str]]:
    """The entries of all images of the request, after those that are missing have been made; why others could not."""
    entries, clean = _read(folder, request)
    missing = _missing(entries, request)
    reasons: dict[str, str] = {}
    if not missing:  # another process has made them
        return entries, reasons
    _check_room(folder, request, len(missing))
    if not clean:
        write_text(folder / INDEX, json.dumps(_header(request)) + "\n" + (_line(entries) if entries else ""))
    used = {entry.file for entry in entries.values()}
    for path in folder.glob(f"{PIXELS}*"):
        if path.name not in used:
            with suppress(OSError):  # Windows refuses while a process reads it
                path.unlink()
    for place in missing:
        entries.pop(request.names[place], None)
    pixels = folder / f"{PIXELS}{secrets.token_hex(4)}"
    pixels.touch(exist_ok=False)
    with (folder / INDEX).open("a", encoding="utf-8") as index:

        def add(added: Mapping[str, Entry], failed: Mapping[str, str], _: np.ndarray | None) -> None:
            entries.update(added)
            reasons.update(failed)
            if added:
                index.write(_line(added))
                index.flush()

        _make(request, missing, pixels, add)
    return entries, reasons


Add = Callable[[Mapping[str, Entry], Mapping[str, str], np.ndarray | None], None]


def _make(request: Request, places: Sequence[int], pixels: Path | None, add: Add) -> None:
    """Make the images at these places of the request, on all cores.

    Args:
        pixels: the file to which the workers write; without it, `add` gets the pixels.
        add: called for each block with its entries, and by name the reasons of images that could not be made.
    """
    block_size = max(1, min(BLOCK, BLOCK_BYTES // request.image_bytes))
    starts = range(0, len(places), block_size)
    blocks = [places[start : start + block_size] for start in starts]
    parallel = Parallel(
        n_jobs=-1, backend="loky" if len(places) >= PROCESSES_FROM else "threading", return_as="generator"
    )
    made = parallel(
        delayed(_make_block)(
            request.make, [request.arguments[place] for place in block], request.image_shape, pixels, start
        )
        for block, start in zip(blocks, starts, strict=True)
    )
    file = pixels.name if pixels else ""

    def one_by_one() -> Iterator[int]:
        for block, start, (told, kept) in zip(blocks, starts, made, strict=True):
            added, failed = {}, {}
            for row, (place, (is_image, content, warnings)) in enumerate(zip(block, told, strict=True), start):
                if is_image:
                    added[request.names[place]] = Entry(request.stamps[place], file, row, content, warnings)
                else:
                    failed[request.names[place]] = content
            add(added, failed, kept)
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
    with pixels.open("r+b") as file:  # buffered: it writes all, or raises an error
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
