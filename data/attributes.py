"""Attributes of the images in a folder, from a table that lies in it.

The table is `attributes.csv`, CelebA's `list_attr_celeba.txt` or `.csv`, or the only CSV file there is.
Its first column names image files, by their path in the folder or by their bare name; each
further column is a label (true/false, yes/no, 0/1 or -1/1) or a factor (other numbers). CelebA
is Liu et al. 2015, "Deep Learning Face Attributes in the Wild" (arXiv 1411.7766).
"""

import csv
import io
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from data.errors import UserError

CELEBA_TEXT = "list_attr_celeba.txt"
TABLES = ("attributes.csv", CELEBA_TEXT, "list_attr_celeba.csv")
# What a label's cells may be, false and true.
PAIRS = (("false", "true"), ("no", "yes"), (0.0, 1.0), (-1.0, 1.0))
# A name becomes part of a figure's file name, and of --attribute NAME=+2,NAME=-1.
NOT_IN_NAMES = "/\\,="


class Attributes(NamedTuple):
    """What a table says of n images, in the order of the images.

    Attributes:
        label_names: L names, in the order of the columns; every column gives a label.
        labels: (n, L) bool; a factor's label is true above its median.
        factor_names: K names, those of the columns that hold other numbers.
        factors: (n, K) float.
    """

    label_names: tuple[str, ...]
    labels: np.ndarray
    factor_names: tuple[str, ...]
    factors: np.ndarray


class Table(NamedTuple):
    """A table as it is written: the names of its columns, and rows of as many cells."""

    columns: list[str]
    rows: list[list[str]]


def read_attributes(folder: Path, image_names: Sequence[str]) -> Attributes | None:
    """The attributes of these images, given by their paths in `folder`; None where `folder` holds no table.

    Rows of other images are passed over, but are part of what tells labels from factors.

    Raises:
        UserError: it is not clear which table is meant, it is none, or an image has no row.
    """
    path = find_table(folder)
    if path is None:
        return None
    table = _read_celeba(path) if path.name == CELEBA_TEXT else _read_csv(path)
    _check(path, table)
    order = _rows_of(path, table, image_names)
    cells = zip(*table.rows, strict=True)
    next(cells)
    columns = {name: _values(path, name, column)[order] for name, column in zip(table.columns[1:], cells, strict=True)}
    factors = {name: values for name, values in columns.items() if values.dtype != bool}
    labels = [values > np.median(values) if name in factors else values for name, values in columns.items()]
    return Attributes(
        label_names=tuple(columns),
        labels=np.stack(labels, axis=1),
        factor_names=tuple(factors),
        factors=np.stack(list(factors.values()), axis=1) if factors else np.empty((len(order), 0)),
    )


def find_table(folder: Path) -> Path | None:
    """The table of attributes in a folder; its sub-folders are not searched."""
    for name in TABLES:
        if (folder / name).is_file():
            return folder / name
    others = [path for path in folder.glob("[!.]*") if path.suffix.lower() == ".csv" and path.is_file()]
    if len(others) > 1:
        raise UserError(
            f"{folder} holds {', '.join(sorted(path.name for path in others))}; "
            "call the one with the attributes of the images attributes.csv"
        )
    return others[0] if others else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as reason:
        raise UserError(f"{path} is not UTF-8 ({reason.reason} at byte {reason.start}); save it as UTF-8") from reason


def _read_csv(path: Path) -> Table:
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        lines = [line for cells in reader if any(line := [cell.strip() for cell in cells])]
    except csv.Error as reason:
        raise UserError(f"{path} is not a CSV table ({reason}); save it anew, commas between the columns") from reason
    return Table(lines[0], lines[1:]) if lines else Table([], [])


def _read_celeba(path: Path) -> Table:
    """CelebA's own form: the number of rows, the names of the attributes, then rows; runs of spaces between."""
    lines = [line.split() for line in _text(path).splitlines() if line.strip()]
    # The number is not compared with the rows: part of CelebA often comes with the whole list's first line.
    if lines and not (len(lines[0]) == 1 and lines[0][0].isdecimal()):
        raise UserError(f"{path} does not begin with the number of its rows; call it attributes.csv if it is a CSV")
    return Table(["image", *lines[1]], lines[2:]) if len(lines) > 1 else Table([], [])


def _check(path: Path, table: Table) -> None:
    """Every column has a name of its own and every row a cell for it."""
    names = table.columns[1:]
    if not names or not table.rows:
        raise UserError(
            f"{path} holds no attributes; it needs a header and rows, each an image file and what is known of it, "
            "in a CSV with commas between"
        )
    for name, times in Counter(names).items():
        if not name or not name.isprintable() or set(name) & set(NOT_IN_NAMES):
            raise UserError(f"{path}: {name!r} cannot be a column's name; give it one without {' '.join(NOT_IN_NAMES)}")
        if times > 1:
            raise UserError(f"{path}: {times} columns are called {name}; rename or remove all but one")
    for row in table.rows:
        if len(row) != len(table.columns):
            raise UserError(
                f"{path}: the row of {row[0]!r} has {len(row)} cells and the header {len(table.columns)}; mend the row"
            )


def _rows_of(path: Path, table: Table, image_names: Sequence[str]) -> np.ndarray:
    """The place of each image's row, (n,) int."""
    bare = [PurePosixPath(name).name for name in image_names]
    times = Counter(bare)
    image_called = {name: image for name, image in zip(bare, image_names, strict=True) if times[name] == 1}
    place: dict[str, int] = {}
    for index, row in enumerate(table.rows):
        image = image_called.get(row[0], row[0])
        if image in place:
            raise UserError(f"{path}: {image!r} has more than one row; remove all but one")
        place[image] = index
    missing = [image for image in image_names if image not in place]
    if missing:
        raise UserError(
            f"{path} has no row for {len(missing)} of {len(image_names)} images, such as {missing[0]}; add rows, "
            "by the path in the folder where several images have the same file name, or remove the images"
        )
    return np.array([place[image] for image in image_names])


def _values(path: Path, name: str, cells: Sequence[str]) -> np.ndarray:
    """A column's values, (rows,): bool where all cells come from one of the pairs, else float."""
    meaning = {cell: _number_or_word(cell) for cell in set(cells)}
    for false, true in PAIRS:
        if set(meaning.values()) <= {false, true}:
            return np.array([meaning[cell] == true for cell in cells])
    wrong = [cell for cell, value in meaning.items() if isinstance(value, str) or not math.isfinite(value)]
    if wrong:
        raise UserError(
            f"{path}: column {name} holds {min(wrong)!r}; a column holds true and false, yes and no, or numbers alone"
        )
    return np.array([meaning[cell] for cell in cells])


def _number_or_word(cell: str) -> float | str:
    try:
        return float(cell)
    except ValueError:
        return cell.lower()
