"""Labels and factors of a folder's images, read from a table of attributes.

The table is `attributes.csv`, CelebA's `list_attr_celeba.txt` or `.csv`, or the only CSV file in the folder that names
the images (`data.attribute_tables`). CelebA's list may also be in the folder `Anno`, next to CelebA's folder `Img`.

The first column names image files by their path, or by the end of their path, such as the file name. Every other
column is a label or a factor:

- a label: true/false, yes/no, t/f, y/n, 0/1 or -1/1;
- a factor: other numbers, in digits such as 12, -0.5 or 1e3.

Empty cells, `nan` and similar words are unknown. In a column of -1 and 1, a 0 is unknown too. Columns of text and
columns with unknown cells are left out with a warning. CelebA: Liu et al. 2015, "Deep Learning Face Attributes in the
Wild" (arXiv 1411.7766).
"""

import logging
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common.names import printable
from data.attribute_tables import find_table, read_table, row_of_each_image
from data.image_names import ImageNames

# The cells of a label: false, true.
PAIRS = (("false", "true"), ("no", "yes"), ("f", "t"), ("n", "y"), (0.0, 1.0), (-1.0, 1.0))
NUMBER = re.compile(r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?")
UNKNOWN = ("", "?", "na", "n/a", "nan", "none", "null")

log = logging.getLogger(__name__)


class Attributes(NamedTuple):
    """The labels and factors of n images, in the order of the images.

    Attributes:
        label_names: L names, in the order of the columns; every column gives a label.
        labels: (n, L) bool; the label of a factor is true above the factor's median, or from the median up if no image
            is above it.
        factor_names: K names, of the columns with other numbers.
        factors: (n, K) float.
    """

    label_names: tuple[str, ...]
    labels: np.ndarray
    factor_names: tuple[str, ...]
    factors: np.ndarray


def read_attributes(folder: Path, names: Sequence[str]) -> Attributes | None:
    """The attributes of the images at these paths in `folder`; None if the folder has no table.

    The table may have rows for other images. Their cells also decide whether a column is a label or a factor.

    Raises:
        UserError: several files could be the table, a file is no table or cannot be read, or an image has no row.
    """
    images = ImageNames(folder, names)
    path = find_table(images)
    if path is None:
        return None
    if path.parent != folder:
        log.info("read labels and factors from %s", printable(path))
    table = read_table(path, images)
    row_of_image = row_of_each_image(table, images)
    columns: dict[str, np.ndarray] = {}
    for place, name in enumerate(table.columns[1:], start=1):
        values = _values([row[place] for row in table.rows], row_of_image)
        if isinstance(values, str):
            log.warning("left out column %s of %s: %s", name, printable(path), values)
        else:
            columns[name] = values
    factors = {name: values for name, values in columns.items() if values.dtype != bool}
    labels = [_upper_half(values) if name in factors else values for name, values in columns.items()]
    for name, values in factors.items():
        if values.min() == values.max():
            log.warning(
                "column %s of %s is %g for every image, so no image has the label", name, printable(path), values[0]
            )
    count = len(row_of_image)
    return Attributes(
        label_names=tuple(columns),
        labels=np.stack(labels, axis=1) if labels else np.empty((count, 0), bool),
        factor_names=tuple(factors),
        factors=np.stack(list(factors.values()), axis=1) if factors else np.empty((count, 0)),
    )


def _upper_half(values: np.ndarray) -> np.ndarray:
    """Which values (n,) are above the median; where none is, which are the median, unless all are equal."""
    median = np.median(values)
    above = values > median
    return above if above.any() or values.min() == median else values >= median


def _values(cells: Sequence[str], row_of_image: np.ndarray) -> np.ndarray | str:
    """The values of a column for the images, or the reason why the column has none.

    Args:
        cells: the cell of every row.
        row_of_image: the index of each image's row, (n,) int.

    Returns:
        (n,) bool if all known cells belong to one of `PAIRS`, else (n,) float.
    """
    meaning = {cell: _number_or_word(cell) for cell in set(cells)}
    known = set(meaning.values()) - {None}
    zero_is_unknown = {-1.0, 0.0} <= known <= {-1.0, 0.0, 1.0}
    if zero_is_unknown:
        meaning = {cell: value or None for cell, value in meaning.items()}
        known.remove(0.0)
    pair = next((pair for pair in PAIRS if known <= set(pair)), None)
    wrong = [cell for cell, value in meaning.items() if isinstance(value, str) or (value and math.isinf(value))]
    if not pair and wrong:
        return (
            f"it holds {min(wrong)!r}; write only true and false, yes and no, t and f, y and n, or only numbers "
            "in a column"
        )
    values = [meaning[cells[row]] for row in row_of_image]
    if unknown := values.count(None):
        reason = f"{unknown} of {len(values)} images have no value in it"
        if zero_is_unknown:
            return (
                f"{reason} (0 is unknown in a column with -1); fill in the values, or write 0, 1, 2 for -1, 0, 1 "
                "if 0 is an amount"
            )
        return f"{reason}; fill in the values"
    return np.array([value == pair[1] for value in values]) if pair else np.array(values, float)


def _number_or_word(cell: str) -> float | str | None:
    """The number or the word in a cell; None if the cell is unknown."""
    word = cell.lower()
    if word in UNKNOWN:
        return None
    # Python's float accepts more: 1_2 is 12 there.
    return float(cell) if NUMBER.fullmatch(cell) else word
