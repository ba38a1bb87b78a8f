"""Attributes of the images in a folder, from a table that lies in it.

The table is `attributes.csv`, CelebA's `list_attr_celeba.txt` or `.csv`, or the only CSV file that names images of the
folder. CelebA's own list is also found where CelebA keeps it: in `Anno` beside the folder `Img` with the images.

The first column names image files, by any end of their path, such as the bare file name; each further column is a
label (true/false, yes/no, t/f, y/n, 0/1 or -1/1) or a factor (other numbers). An empty cell, `nan` and the like, and
0 in a column of -1 and 1, are unknown. A column of text, or with unknown cells, is left out with a warning. CelebA is
Liu et al. 2015, "Deep Learning Face Attributes in the Wild" (arXiv 1411.7766).
"""

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common.names import printable
from data.tables import read_table

# What a label's cells may be, false and true.
PAIRS = (("false", "true"), ("no", "yes"), ("f", "t"), ("n", "y"), (0.0, 1.0), (-1.0, 1.0))
UNKNOWN = ("", "?", "na", "n/a", "nan", "none", "null")

log = logging.getLogger(__name__)


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


def read_attributes(folder: Path, image_names: Sequence[str]) -> Attributes | None:
    """The attributes of these images, given by their paths in `folder`; None where there is no table.

    Rows of other images are passed over, but are part of what tells labels from factors. Columns that are neither
    are left out with a warning.

    Raises:
        UserError: it is not clear which table is meant, it is none, it cannot be read, or an image has no row.
    """
    found = read_table(folder, image_names)
    if found is None:
        return None
    columns: dict[str, np.ndarray] = {}
    for place, name in enumerate(found.table.columns[1:], start=1):
        values = _values([row[place] for row in found.table.rows], found.rows)
        if isinstance(values, str):
            log.warning("left out column %s of %s: %s", name, printable(found.path), values)
        else:
            columns[name] = values
    factors = {name: values for name, values in columns.items() if values.dtype != bool}
    labels = [values > np.median(values) if name in factors else values for name, values in columns.items()]
    return Attributes(
        label_names=tuple(columns),
        labels=np.stack(labels, axis=1) if labels else np.empty((len(found.rows), 0), bool),
        factor_names=tuple(factors),
        factors=np.stack(list(factors.values()), axis=1) if factors else np.empty((len(found.rows), 0)),
    )


def _values(cells: Sequence[str], rows: np.ndarray) -> np.ndarray | str:
    """A column's values of the images, or why it has none.

    Args:
        cells: of all rows.
        rows: the place of each image's row, (n,) int.

    Returns:
        (n,) bool where all known cells come from one of the pairs, else (n,) float.
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
        return f"it holds {min(wrong)!r}; a column holds true and false, yes and no, t and f, y and n, or numbers alone"
    values = [meaning[cells[row]] for row in rows]
    if unknown := values.count(None):
        lacking = f"{unknown} of {len(values)} images have no value in it"
        if zero_is_unknown:
            return f"{lacking} (0 beside -1 is unknown); fill them in, or if 0 is an amount write 0, 1, 2 for -1, 0, 1"
        return f"{lacking}; fill them in"
    return np.array([value == pair[1] for value in values]) if pair else np.array(values, float)


def _number_or_word(cell: str) -> float | str | None:
    """What a cell says; None where that is unknown."""
    word = cell.lower()
    if word in UNKNOWN:
        return None
    try:
        return None if math.isnan(number := float(cell)) else number
    except ValueError:
        return word
