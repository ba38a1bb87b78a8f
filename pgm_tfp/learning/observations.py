"""Tables of observations, as learning reads them, and how to take cells out of one."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from common.errors import UserError
from pgm_tfp.exact.batched import MISSING, codes_of_columns
from pgm_tfp.networks import BayesianNetwork
from pgm_tfp.states import State, listed

# By variable a column of states, None where it was not seen; a variable without a column was never seen. A data frame
# of pandas will do.
Observations: TypeAlias = Mapping[str, Sequence[Any]]


class DistinctRows(NamedTuple):
    """The rows of a table, equal ones once.

    Attributes:
        codes: by variable with a column, the index of its state in each distinct row, -1 where it was not seen.
        times: how often each distinct row stands in the table, float64.
    """

    codes: dict[str, np.ndarray]
    times: np.ndarray


def complete_codes(network: BayesianNetwork, observations: Observations) -> dict[str, np.ndarray]:
    """The indices of all states, (rows,) for each variable of the network.

    Raises:
        UserError: a name or a state is unknown, columns differ in length, or a cell is missing.
    """
    codes = codes_of_columns(network, observations)
    for variable in network.conditionals:
        if variable not in codes:
            raise UserError(f"{variable} has no column; counting needs all variables, fit_em does not")
        if (missing := codes[variable] == MISSING).any():
            raise UserError(
                f"row {int(missing.argmax())}: {variable} was not seen; counting needs every cell, fit_em does not"
            )
    return codes


def distinct_rows(network: BayesianNetwork, observations: Observations) -> DistinctRows:
    """Rows that may have gaps, equal ones once.

    Raises:
        UserError: a name or a state is unknown, columns differ in length, or there is no row.
    """
    codes = codes_of_columns(network, observations)
    if not len(next(iter(codes.values()))):
        raise UserError("the observations have no rows; give one or more")
    distinct, times = np.unique(np.stack([*codes.values()]), axis=1, return_counts=True)
    return DistinctRows(dict(zip(codes, distinct, strict=True)), times.astype(np.float64))


def blanked(
    observations: Observations, share: float, seed: int = 0, hidden: Collection[str] = ()
) -> dict[str, list[State | None]]:
    """The same table with cells missing completely at random.

    Args:
        share: the probability, from 0 to 1, with which each cell becomes None.
        hidden: variables all of whose cells do.

    Raises:
        UserError: the share is no probability, or a hidden variable has no column.
    """
    if not 0.0 <= share <= 1.0:
        raise UserError(f"the share of cells to leave out must lie from 0 to 1, given {share}")
    for variable in hidden:
        if variable not in observations:
            raise UserError(f"{variable} has no column to hide; columns: {', '.join(observations)}")
    random = np.random.default_rng(seed)
    left_out = {variable: random.random(len(column)) < share for variable, column in observations.items()}
    return {
        variable: [
            None if gone or variable in hidden else state
            for state, gone in zip(listed(column), left_out[variable], strict=True)
        ]
        for variable, column in observations.items()
    }
