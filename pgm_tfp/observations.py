"""Logs of observations: CSV files with a column for each observed variable; a blank cell means not seen."""

import csv
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common.errors import UserError
from common.files import atomic_write
from pgm_tfp.exact import Network
from pgm_tfp.notation import read_state
from pgm_tfp.states import State

log = logging.getLogger(__name__)

DIGITS = 9  # of a number that is written
MOST_NAMES = 10  # of ignored columns that a warning lists


class Log(NamedTuple):
    """The contents of a log file.

    Attributes:
        path: of the file.
        header: the names of all columns, without the spaces around them.
        rows: the cells of all columns, as text; not only those of the network's variables.
        lines: the line of the file on which each row ends.
        observed: by variable its column of states, None where the cell is blank.
    """

    path: Path
    header: list[str]
    rows: list[list[str]]
    lines: list[int]
    observed: dict[str, list[State | None]]


def read_log(path: Path, network: Network) -> Log:
    """The contents of a log file, with the states that it gives to the network's variables.

    Columns that belong to no variable are kept as text and not used; a warning lists them. Spaces around names and
    cells are ignored.

    Raises:
        UserError: the file is absent or is not CSV, no column belongs to a variable, or a cell is not a state. The
            message names the line and the column.
    """
    if not path.is_file():
        raise UserError(f"no file {path}")
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True, skipinitialspace=True)
        try:
            header = [name.strip() for name in next(reader, [])]
            rows, lines = [], []
            for row in reader:
                if row:
                    rows.append(row)
                    lines.append(reader.line_num)
        except (csv.Error, UnicodeDecodeError) as reason:
            raise UserError(
                f"{path}, line {reader.line_num}: not CSV in UTF-8 ({reason}); correct the file and try again"
            ) from reason
    variables = {name.strip(): name for name in network.states}
    columns = {variables[name]: place for place, name in enumerate(header) if name in variables}
    if not columns:
        known = ", ".join(network.states)
        nearly = "; ".join(_nearly(header, network))
        raise UserError(
            f"{path}, line 1: no column is a variable's{f' ({nearly})' if nearly else ''}; name one or more of {known} "
            "in the first line"
        )
    for name in variables:
        if header.count(name) > 1:
            raise UserError(f"{path}, line 1: column {name} is there twice; leave one of them out")
    if not rows:
        raise UserError(f"{path} has no rows below its first line; add one or more")
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(header):
            raise UserError(f"{path}, line {line}: expected {len(header)} cells, as in line 1; found {len(row)}")
    observed = {
        name: _states(path, network, name, [row[place] for row in rows], lines) for name, place in columns.items()
    }
    _warn_of_ignored(path, header, network)
    return Log(path, header, rows, lines, observed)


def write_log(path: Path, observed: Mapping[str, Sequence[State | None]]) -> None:
    """Write columns of states as a log; None becomes a blank cell."""
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(observed)
        # A row with a single blank cell would be an empty line, which is not read as a row.
        blank = " " if len(observed) == 1 else ""
        writer.writerows(
            [blank if state is None else state for state in row] for row in zip(*observed.values(), strict=True)
        )


def write_with_columns(path: Path, log: Log, columns: Mapping[str, np.ndarray]) -> None:
    """Write the log with new columns of numbers after its own.

    Args:
        columns: by name the number of each row, (rows,).

    Raises:
        UserError: the log already has a column of one of these names.
    """
    if both := [name for name in columns if name in log.header]:
        raise UserError(f"{log.path}, line 1: column {both[0]} would be written twice; rename it or leave it out")
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*log.header, *columns])
        writer.writerows(_rows(log, np.column_stack([*columns.values()])))


def _nearly(header: Sequence[str], network: Network) -> list[str]:
    """A remark for each column whose name differs from a variable's only in capitals, spaces or hyphens."""
    bare = {_bare(name): name.strip() for name in network.states if _bare(name)}
    known = {name.strip() for name in network.states}
    return [f"{name} is nearly {bare[_bare(name)]}" for name in header if name not in known and _bare(name) in bare]


def _bare(name: str) -> str:
    return re.sub(r"[\W_]", "", name).casefold()


def _warn_of_ignored(path: Path, header: Sequence[str], network: Network) -> None:
    known = {name.strip() for name in network.states}
    ignored = [name or "(without a name)" for name in header if name not in known]
    if not ignored:
        return
    more = f" and {len(ignored) - MOST_NAMES} more" if len(ignored) > MOST_NAMES else ""
    nearly = "".join(f"; {text}: rename it if you mean that variable" for text in _nearly(header, network))
    log.warning(
        "%s: columns that belong to no variable are ignored: %s%s%s",
        path,
        ", ".join(ignored[:MOST_NAMES]),
        more,
        nearly,
    )


def _rows(read: Log, numbers: np.ndarray) -> Iterator[list[str]]:
    """The rows of a log, each followed by its numbers as text; equal rows of numbers are formatted once."""
    _, first, which = np.unique(numbers, axis=0, return_index=True, return_inverse=True)
    texts = [[f"{number:.{DIGITS}g}" for number in row] for row in numbers[first].tolist()]
    return (row + texts[at] for row, at in zip(read.rows, which.ravel().tolist(), strict=True))


def _states(path: Path, network: Network, variable: str, cells: list[str], lines: list[int]) -> list[State | None]:
    """The states that a column's cells name; None for a blank cell."""
    known: dict[str, State | None] = {}
    for cell, line in zip(cells, lines, strict=True):
        if cell not in known:
            try:
                known[cell] = read_state(network, variable, cell.strip()) if cell.strip() else None
            except UserError as reason:
                raise UserError(
                    f"{path}, line {line}, column {variable}: {reason}; leave the cell blank if it was not seen"
                ) from None
    return [known[cell] for cell in cells]
