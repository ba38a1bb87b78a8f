"""Finds and reads the table with the attributes of a folder's images.

The table is a CSV file, or CelebA's list `list_attr_celeba.txt`. Its first column names images.
"""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common.errors import UserError
from common.names import printable
from data.image_names import ImageNames

OWN_NAME = "attributes.csv"
CELEBA_TEXT = "list_attr_celeba.txt"
CELEBA_NAMES = (CELEBA_TEXT, "list_attr_celeba.csv")
CELEBA_FOLDERS = ("img", "img_align_celeba", "img_align_celeba_png", "img_celeba")
# The header of a first column in which pandas has written the numbers of the rows.
INDEX_HEADERS = ("", "Unnamed: 0")
# The name of an attribute becomes part of a figure's file name and of --attribute NAME=+2,NAME=-1.
NOT_IN_NAMES = "/\\,="
MOST_LISTED = 3


class AttributeTable(NamedTuple):
    """The cells of a table, as they are written.

    Attributes:
        path: the file.
        columns: the names of the columns; the first column names images.
        rows: for each row its cells, one for each column.
    """

    path: Path
    columns: list[str]
    rows: list[list[str]]


def find_table(images: ImageNames) -> Path | None:
    """The file with the attributes of the images; None if there is none.

    The file is in the folder itself. Only CelebA's list may be in other places, as CelebA has it: next to the folder of
    the images, or in the folder `Anno` there.

    Raises:
        UserError: several CSV files name the images, or there are CSV files and none names the images.
    """
    folder = images.folder
    for name in (OWN_NAME, *CELEBA_NAMES):
        if (folder / name).is_file():
            return folder / name
    found = [path for path in folder.glob("[!.]*") if path.suffix.lower() == ".csv" and path.is_file()]
    found.sort(key=lambda path: path.name)
    tables = found if len(found) == 1 else [path for path in found if _names_an_image(path, images)]
    if len(tables) > 1:
        raise UserError(
            f"{printable(folder)} holds {_listed(tables)}, and each names images; "
            f"rename the file with the attributes to {OWN_NAME}"
        )
    if found and not tables:
        raise _no_table(found, images)
    return tables[0] if tables else _celeba_list(folder)


def _celeba_list(folder: Path) -> Path | None:
    """CelebA's list, if `folder` is the unpacked CelebA or one of its folders of images."""
    home = folder.resolve()
    while home.name.lower() in CELEBA_FOLDERS:
        home = home.parent
    candidates = [place / name for place in (home / "Anno", home) for name in CELEBA_NAMES]
    return next((path for path in candidates if path.is_file()), None)


def _names_an_image(path: Path, images: ImageNames) -> bool:
    try:
        return any(images.find(row[0]) for row in read_table(path, images).rows)
    except UserError:
        return False


def _no_table(found: Sequence[Path], images: ImageNames) -> UserError:
    folder, common = images.folder, images.common_folder()
    remedy = (
        f"pass the folder of the images, {printable(common)}, with --data"
        if common != folder
        else "write the names of the image files there, or move files that are no table of attributes out of the folder"
    )
    return UserError(
        f"no CSV file in {printable(folder)} ({_listed(found)}) names its images in the first column; {remedy}"
    )


def _listed(paths: Sequence[Path]) -> str:
    """The names of the files; of many files the first few names."""
    more = len(paths) - MOST_LISTED
    names = ", ".join(printable(path.name) for path in paths[:MOST_LISTED])
    return f"{names} and {more} more CSV files" if more > 0 else names


def read_table(path: Path, images: ImageNames) -> AttributeTable:
    """Read a table. A first column with the numbers of the rows, as pandas writes it, is removed.

    Raises:
        UserError: the file cannot be read, or it is not a table with names of images and attributes.
    """
    table = _read_celeba(path) if path.name == CELEBA_TEXT else _read_csv(path)
    _check(table)
    if (
        table.columns[0] in INDEX_HEADERS
        and all(row[0].isdecimal() for row in table.rows)
        and not any(images.find(row[0]) for row in table.rows)
    ):
        table = AttributeTable(path, table.columns[1:], [row[1:] for row in table.rows])
        _check(table)
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


def _read_csv(path: Path) -> AttributeTable:
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        lines = [line for cells in reader if any(line := [cell.strip() for cell in cells])]
    except csv.Error as reason:
        raise UserError(
            f"{printable(path)} is not a CSV table ({reason}); save it as CSV with commas between the columns"
        ) from reason
    return AttributeTable(path, lines[0], lines[1:]) if lines else AttributeTable(path, [], [])


def _read_celeba(path: Path) -> AttributeTable:
    """Read CelebA's format: the number of rows, a line of attribute names, the rows; spaces separate the cells."""
    lines = [line.split() for line in _text(path).splitlines() if line.strip()]
    # The number is not compared with the rows, because a part of CelebA often has the first line of the whole list.
    if lines and not (len(lines[0]) == 1 and lines[0][0].isdecimal()):
        raise UserError(
            f"{printable(path)} does not begin with the number of its rows; rename it to {OWN_NAME} if it is a CSV file"
        )
    return AttributeTable(path, ["image", *lines[1]], lines[2:]) if len(lines) > 1 else AttributeTable(path, [], [])


def _check(table: AttributeTable) -> None:
    """Check that every column has a name of its own, and that every row has one cell for each column."""
    shown = printable(table.path)
    names = table.columns[1:]
    if not names or not table.rows:
        raise UserError(
            f"{shown} holds no attributes; write a header and rows with commas between the cells, each row an image "
            "file and its attributes"
        )
    for name, times in Counter(names).items():
        if not name or not name.isprintable() or set(name) & set(NOT_IN_NAMES):
            raise UserError(
                f"{shown}: {name!r} cannot be the name of a column; choose a name without {' '.join(NOT_IN_NAMES)}"
            )
        if times > 1:
            raise UserError(f"{shown}: {times} columns are called {name}; rename or remove all but one")
    for row in table.rows:
        if len(row) != len(table.columns):
            raise UserError(
                f"{shown}: the row of {row[0]!r} has {len(row)} cells but the header has {len(table.columns)}; "
                "correct the row"
            )


def row_of_each_image(table: AttributeTable, images: ImageNames) -> np.ndarray:
    """The index of each image's row in the table, (n,) int.

    Raises:
        UserError: an image has no row, or more than one.
    """
    shown = printable(table.path)
    row_of: dict[str, int] = {}
    for index, row in enumerate(table.rows):
        image = images.find(row[0]) or row[0]
        if image in row_of:
            raise UserError(f"{shown}: {image!r} has more than one row; remove all but one")
        row_of[image] = index
    missing = [image for image in images.names if image not in row_of]
    if len(missing) == len(images.names) and table.path.name not in (OWN_NAME, *CELEBA_NAMES):
        raise _no_table([table.path], images)
    if missing:
        raise UserError(
            f"{shown} has no row for {len(missing)} of {len(images.names)} images, such as {printable(missing[0])} "
            f"(its first row is for {table.rows[0][0]!r}); add the rows, with the path in the folder if several images "
            "have the same file name, or remove the images"
        )
    return np.array([row_of[image] for image in images.names])
