"""The table of attributes of a folder's images: which file it is, and which row is that of which image."""

import csv
import io
import logging
import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize

import numpy as np

from common.errors import UserError
from common.names import printable

CELEBA_TEXT = "list_attr_celeba.txt"
CELEBA_TABLES = (CELEBA_TEXT, "list_attr_celeba.csv")
CELEBA_FOLDERS = ("img", "img_align_celeba", "img_align_celeba_png", "img_celeba")
# What pandas calls the first column where it has saved the numbers of the rows.
INDEX_NAMES = ("", "Unnamed: 0")
# A name becomes part of a figure's file name, and of --attribute NAME=+2,NAME=-1.
NOT_IN_NAMES = "/\\,="
MOST_LISTED = 3

log = logging.getLogger(__name__)


class Table(NamedTuple):
    """A table as it is written: the names of its columns, and rows of as many cells."""

    columns: list[str]
    rows: list[list[str]]


class TableOfImages(NamedTuple):
    """A table, and which of its rows are those of the images.

    Attributes:
        path: of its file.
        table: its first column names images.
        rows: the place of each image's row, (n,) int.
    """

    path: Path
    table: Table
    rows: np.ndarray


def read_table(folder: Path, image_names: Sequence[str]) -> TableOfImages | None:
    """The table of these images, given by their paths in `folder`; None where there is none.

    Raises:
        UserError: it is not clear which table is meant, it is none, it cannot be read, or an image has no row.
    """
    images = ImageNames(folder, image_names)
    path = find_table(images)
    if path is None:
        return None
    if path.parent != folder:
        log.info("labels and factors are those in %s", printable(path))
    table = _read(path, images)
    return TableOfImages(path, table, _rows_of(path, table, images))


class ImageNames:
    """Which image of a folder a table means."""

    def __init__(self, folder: Path, image_names: Sequence[str]):
        self.folder, self.names = folder, image_names
        self.home = _parts(str(folder.resolve()))
        self.image_at = {_parts(name): name for name in image_names}
        self.with_file_name = defaultdict(list)
        for parts in self.image_at:
            self.with_file_name[parts[-1]].append(parts)

    def called(self, typed: str) -> str | None:
        """The image at that path in the folder, else the only one whose path ends so; None where there is none."""
        parts = _parts(typed)
        for start in range(len(parts)):  # the parts before it are the end of the folder's own path
            if parts[start:] in self.image_at and self.home[len(self.home) - start :] == parts[:start]:
                return self.image_at[parts[start:]]
        same_file_name = self.with_file_name.get(parts[-1], []) if parts else []
        ends = [path for path in same_file_name if path[-len(parts) :] == parts]
        return self.image_at[ends[0]] if len(ends) == 1 else None

    def own_folder(self) -> Path:
        """The deepest folder that holds all images."""
        return self.folder / os.path.commonpath([os.path.dirname(name) for name in self.names])  # noqa: PTH120


def _parts(path: str) -> tuple[str, ...]:
    """The folders and the file of a path; the same for all ways to write a path, on Windows, macOS and Linux."""
    return tuple(part for part in normalize("NFC", path).replace("\\", "/").split("/") if part not in ("", "."))


def find_table(images: ImageNames) -> Path | None:
    """The table of attributes of the images in a folder; its sub-folders are not searched, but for CelebA's list.

    Raises:
        UserError: several CSV files could be it, or there are CSV files and none is.
    """
    folder = images.folder
    for name in ("attributes.csv", *CELEBA_TABLES):
        if (folder / name).is_file():
            return folder / name
    found = [path for path in folder.glob("[!.]*") if path.suffix.lower() == ".csv" and path.is_file()]
    found.sort(key=lambda path: path.name)
    tables = found if len(found) == 1 else [path for path in found if _names_an_image(path, images)]
    if len(tables) > 1:
        raise UserError(
            f"{printable(folder)} holds {_listed(tables)}; "
            "call the one with the attributes of the images attributes.csv"
        )
    if found and not tables:
        raise _no_table(found, images)
    return tables[0] if tables else _celeba_list(folder)


def _celeba_list(folder: Path) -> Path | None:
    """CelebA's list where it is unpacked as it is published, and `folder` is all of it or a folder of its images."""
    home = folder.resolve()
    while home.name.lower() in CELEBA_FOLDERS:
        home = home.parent
    places = [place / name for place in (home / "Anno", home) for name in CELEBA_TABLES]
    return next((path for path in places if path.is_file()), None)


def _names_an_image(path: Path, images: ImageNames) -> bool:
    try:
        return any(images.called(row[0]) for row in _read(path, images).rows)
    except UserError:
        return False


def _no_table(found: Sequence[Path], images: ImageNames) -> UserError:
    folder, own = images.folder, images.own_folder()
    remedy = (
        f"pass the folder of the images, {printable(own)}, with --data"
        if own != folder
        else "name the image files there, or move what is no table of attributes elsewhere"
    )
    return UserError(
        f"no CSV file in {printable(folder)} ({_listed(found)}) names its images in the first column; {remedy}"
    )


def _listed(paths: Sequence[Path]) -> str:
    """The names of files, the first few where there are many."""
    more = len(paths) - MOST_LISTED
    names = ", ".join(printable(path.name) for path in paths[:MOST_LISTED])
    return f"{names} and {more} more CSV files" if more > 0 else names


def _read(path: Path, images: ImageNames) -> Table:
    """The table in a file, without a column of row numbers before the names of the images."""
    table = _read_celeba(path) if path.name == CELEBA_TEXT else _read_csv(path)
    _check(path, table)
    if (
        table.columns[0] in INDEX_NAMES
        and all(row[0].isdecimal() for row in table.rows)
        and not any(images.called(row[0]) for row in table.rows)
    ):
        table = Table(table.columns[1:], [row[1:] for row in table.rows])
        _check(path, table)
    return table


def _text(path: Path) -> str:
    shown = printable(path)
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as reason:
        raise UserError(f"{shown} is not UTF-8 ({reason.reason} at byte {reason.start}); save it as UTF-8") from reason
    except OSError as reason:
        raise UserError(
            f"{shown} cannot be read ({reason.strerror}); make it readable, or remove it to go on without attributes"
        ) from reason


def _read_csv(path: Path) -> Table:
    shown = printable(path)
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        lines = [line for cells in reader if any(line := [cell.strip() for cell in cells])]
    except csv.Error as reason:
        raise UserError(f"{shown} is not a CSV table ({reason}); save it anew, commas between the columns") from reason
    return Table(lines[0], lines[1:]) if lines else Table([], [])


def _read_celeba(path: Path) -> Table:
    """CelebA's own form: the number of rows, the names of the attributes, then rows; runs of spaces between."""
    shown = printable(path)
    lines = [line.split() for line in _text(path).splitlines() if line.strip()]
    # The number is not compared with the rows: part of CelebA often comes with the whole list's first line.
    if lines and not (len(lines[0]) == 1 and lines[0][0].isdecimal()):
        raise UserError(f"{shown} does not begin with the number of its rows; call it attributes.csv if it is a CSV")
    return Table(["image", *lines[1]], lines[2:]) if len(lines) > 1 else Table([], [])


def _check(path: Path, table: Table) -> None:
    """Every column has a name of its own and every row a cell for it."""
    shown = printable(path)
    names = table.columns[1:]
    if not names or not table.rows:
        raise UserError(
            f"{shown} holds no attributes; it needs a header and rows, each an image file and what is known of it, "
            "in a CSV with commas between"
        )
    for name, times in Counter(names).items():
        if not name or not name.isprintable() or set(name) & set(NOT_IN_NAMES):
            raise UserError(
                f"{shown}: {name!r} cannot be a column's name; give it one without {' '.join(NOT_IN_NAMES)}"
            )
        if times > 1:
            raise UserError(f"{shown}: {times} columns are called {name}; rename or remove all but one")
    for row in table.rows:
        if len(row) != len(table.columns):
            raise UserError(
                f"{shown}: the row of {row[0]!r} has {len(row)} cells and the header {len(table.columns)}; mend the row"
            )


def _rows_of(path: Path, table: Table, images: ImageNames) -> np.ndarray:
    """The place of each image's row, (n,) int."""
    shown = printable(path)
    place: dict[str, int] = {}
    for index, row in enumerate(table.rows):
        image = images.called(row[0]) or row[0]
        if image in place:
            raise UserError(f"{shown}: {image!r} has more than one row; remove all but one")
        place[image] = index
    missing = [image for image in images.names if image not in place]
    if len(missing) == len(images.names) and path.name not in ("attributes.csv", *CELEBA_TABLES):
        raise _no_table([path], images)
    if missing:
        raise UserError(
            f"{shown} has no row for {len(missing)} of {len(images.names)} images, such as {printable(missing[0])} "
            f"(the first row is that of {table.rows[0][0]!r}); add rows, by the path in the folder where several "
            "images have the same file name, or remove the images"
        )
    return np.array([place[image] for image in images.names])
