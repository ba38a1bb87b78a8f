"""Logs of observations: CSV files with one column for each observed variable, blanks where nothing was seen."""

import csv
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common.errors import UserError
from common.files import atomic_write
from pgm_tfp.exact import ImpossibleRowError, Network, Posteriors, posteriors
from pgm_tfp.notation import read_state
from pgm_tfp.states import BINARY, State

log = logging.getLogger(__name__)

DIGITS = 9
EVIDENCE = "log_evidence"
MOST_NAMES = 10  # of ignored columns, in one line


class Log(NamedTuple):
    """A log as it was read.

    Attributes:
        path: of the file.
        header: names of all columns, without the spaces around them.
        rows: their cells, as text, those that are no variable's too.
        lines: the line of the file on which each row ends.
        observed: by variable its column of states, None where the cell is blank.
    """

    path: Path
    header: list[str]
    rows: list[list[str]]
    lines: list[int]
    observed: dict[str, list[State | None]]


def read_log(path: Path, network: Network) -> Log:
    """Read a log. Columns that are no variable's are kept, but say nothing; the program's log has a line of them.

    Spaces around names and cells do not count.

    Raises:
        UserError: the file is absent or no CSV, no column is a variable's, or a cell cannot be read; line and column
            are named.
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
                f"{path}, line {reader.line_num}: no CSV in UTF-8 ({reason}); mend it and try again"
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
        raise UserError(f"{path} has no rows below its first line; add some")
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(header):
            raise UserError(f"{path}, line {line}: expected {len(header)} cells, as in line 1; found {len(row)}")
    observed = {
        name: _states(path, network, name, [row[place] for row in rows], lines) for name, place in columns.items()
    }
    _tell_ignored(path, header, network)
    return Log(path, header, rows, lines, observed)


def write_log(path: Path, observed: Mapping[str, Sequence[State | None]]) -> None:
    """Write columns of states as a log; None becomes a blank."""
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(observed)
        # A row with a single blank cell would be an empty line, which is no row.
        blank = " " if len(observed) == 1 else ""
        writer.writerows(
            [blank if state is None else state for state in row] for row in zip(*observed.values(), strict=True)
        )


def diagnosed(log: Log, network: Network) -> Posteriors:
    """What each row says about every variable.

    Raises:
        UserError: a row is impossible; its line is named.
    """
    try:
        return posteriors(network, log.observed)
    except ImpossibleRowError as reason:
        columns = ", ".join(name for name, column in log.observed.items() if column[reason.row] is not None)
        raise UserError(f"{log.path}, line {log.lines[reason.row]}, columns {columns}: {reason.reason}") from None


def write_diagnosis(path: Path, log: Log, network: Network, posterior: Posteriors) -> None:
    """Write the log with new columns: the posterior of every variable, and the evidence of the row in nats.

    Raises:
        UserError: the log has a column of such a name.
    """
    new = [*posterior_columns(network), EVIDENCE]
    if both := [name for name in new if name in log.header]:
        raise UserError(f"{log.path}, line 1: column {both[0]} would be written twice; rename it or leave it out")
    numbers = np.column_stack(
        [
            *(
                posterior.probabilities[variable][:, network.states[variable].index(state)]
                for variable, state in posterior_columns(network).values()
            ),
            posterior.log_evidence,
        ]
    )
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*log.header, *new])
        writer.writerows(_rows(log, numbers))


def posterior_columns(network: Network) -> dict[str, tuple[str, State]]:
    """The new columns, by name: variable and state. Of a variable that is false or true, true alone."""
    return {
        f"P({variable}={state})": (variable, state)
        for variable, states in network.states.items()
        for state in ((True,) if states == BINARY else states)
    }


def _nearly(header: Sequence[str], network: Network) -> list[str]:
    """For each column that names no variable but for capitals, spaces or hyphens does: which one."""
    bare = {_bare(name): name.strip() for name in network.states if _bare(name)}
    known = {name.strip() for name in network.states}
    return [f"{name} is nearly {bare[_bare(name)]}" for name in header if name not in known and _bare(name) in bare]


def _bare(name: str) -> str:
    return re.sub(r"[\W_]", "", name).casefold()


def _tell_ignored(path: Path, header: Sequence[str], network: Network) -> None:
    known = {name.strip() for name in network.states}
    ignored = [name or "(without a name)" for name in header if name not in known]
    if not ignored:
        return
    more = f" and {len(ignored) - MOST_NAMES} more" if len(ignored) > MOST_NAMES else ""
    nearly = "".join(f"; {text}: rename it if that is meant" for text in _nearly(header, network))
    log.warning(
        "%s: columns that are no variable's are ignored: %s%s%s", path, ", ".join(ignored[:MOST_NAMES]), more, nearly
    )


def _rows(read: Log, numbers: np.ndarray) -> Iterator[list[str]]:
    _, first, which = np.unique(numbers, axis=0, return_index=True, return_inverse=True)
    texts = [[f"{number:.{DIGITS}g}" for number in row] for row in numbers[first].tolist()]
    return (row + texts[at] for row, at in zip(read.rows, which.ravel().tolist(), strict=True))


def _states(path: Path, network: Network, variable: str, cells: list[str], lines: list[int]) -> list[State | None]:
    known: dict[str, State | None] = {}
    for cell, line in zip(cells, lines, strict=True):
        if cell not in known:
            try:
                known[cell] = read_state(network, variable, cell.strip()) if cell.strip() else None
            except UserError as reason:
                raise UserError(f"{path}, line {line}, column {variable}: {reason}; blank means not seen") from None
    return [known[cell] for cell in cells]
