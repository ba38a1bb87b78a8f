"""Rows of observations as inference needs them: states as numbers, equal rows once, many rows at a time."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from common.errors import UserError, nearest
from pgm_tfp.exact.evidence import Network, check_variables
from pgm_tfp.states import find_state, is_missing, listed, places_of

# By variable a column of states, None where the variable was not seen; a variable without a column was never seen. A
# data frame of pandas is accepted as well.
Observations: TypeAlias = Mapping[str, Sequence[Any]]

CELLS_AT_ONCE = 2**18  # arrays of that many float64 fit into a processor's cache
MISSING, UNKNOWN = -1, -2


class DistinctRows(NamedTuple):
    """Rows of observations, equal rows once.

    Attributes:
        codes: by variable with a column, the index of its state in each distinct row, -1 where it was not seen.
        first: for each distinct row, the number of the first row equal to it.
        which: for each row, the number of the distinct row equal to it.
    """

    codes: dict[str, np.ndarray]
    first: np.ndarray
    which: np.ndarray

    def times(self) -> np.ndarray:
        """How many rows are equal to each distinct row, (distinct rows,), float64."""
        return np.bincount(self.which, minlength=len(self.first)).astype(np.float64)

    def codes_of(self, batch: slice) -> dict[str, np.ndarray]:
        """The codes of some of the distinct rows."""
        return {variable: column[batch] for variable, column in self.codes.items()}

    def batches(self, cells: int | None) -> Iterator[slice]:
        """The distinct rows in batches that go through a junction tree together.

        Args:
            cells: the number of cells of the tree for one row; None for one row at a time.
        """
        size = 1 if cells is None else max(1, CELLS_AT_ONCE // max(1, cells))
        return (slice(start, start + size) for start in range(0, len(self.first), size))


def distinct_rows(network: Network, observations: Observations) -> DistinctRows:
    """The rows of a table of observations, equal rows once, in lexicographic order of their states.

    Raises:
        UserError: as `codes_of_columns`.
    """
    codes = codes_of_columns(network, observations)
    columns = np.stack([*codes.values()])
    base = np.array([len(network.states[variable]) for variable in codes]) + 1
    if np.log2(base).sum() < 62:  # a row is one integer, which is faster to sort
        keys = np.ravel_multi_index(tuple(columns + 1), tuple(base))
        _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    else:
        _, first, which = np.unique(columns, axis=1, return_index=True, return_inverse=True)
    return DistinctRows(dict(zip(codes, columns[:, first], strict=True)), first, which)


def likelihoods_of(network: Network, codes: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Findings as likelihoods: by variable, (states, rows), one for the state seen, or for all states if none was seen.

    Args:
        codes: by variable the index of its state in each row, -1 where it was not seen.
    """
    likelihoods = {}
    for variable, column in codes.items():
        states = len(network.states[variable])
        # Index -1 (missing) selects the added last row, which is all ones.
        likelihoods[variable] = np.concatenate([np.eye(states), np.ones((1, states))])[column].T
    return likelihoods


def codes_of_columns(network: Network, observations: Observations) -> dict[str, np.ndarray]:
    """By variable its column as indices of states, (rows,); -1 where the variable was not seen.

    Raises:
        UserError: a name or a state is unknown, a variable has two columns, there is no column, or columns differ in
            length.
    """
    names = list(observations)
    check_variables(network, names)
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"column {name} is there twice; leave one of them out")
    columns = {variable: listed(column) for variable, column in observations.items()}
    lengths = {variable: len(column) for variable, column in columns.items()}
    if len(set(lengths.values())) != 1:
        raise UserError(f"columns must be equally long, one at least; given {lengths}")
    return {variable: _codes(network, variable, column) for variable, column in columns.items()}


def _codes(network: Network, variable: str, column: list[Any]) -> np.ndarray:
    states = network.states[variable]
    places = places_of(states)

    def code(value: Any) -> int:
        place = find_state(states, places, value)
        if place is not None:
            return place
        return MISSING if is_missing(value) else UNKNOWN

    try:  # look up each distinct value once
        code_of = {value: code(value) for value in set(column)}
        codes = np.fromiter((code_of[value] for value in column), np.int64, len(column))
    except TypeError:  # a value that cannot be a dictionary's key, such as a list
        codes = np.fromiter(map(code, column), np.int64, len(column))
    if (codes == UNKNOWN).any():
        row = int(np.argmax(codes == UNKNOWN))
        value = str(column[row])
        raise UserError(f"row {row}: {variable} has no state {value}; {nearest(value, map(str, states))}")
    return codes
