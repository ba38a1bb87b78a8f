"""Observations with cells removed at random, to try out learning from rows with gaps."""

from collections.abc import Collection

import numpy as np

from common.errors import UserError
from pgm_tfp.exact.rows import Observations
from pgm_tfp.states import State, listed


def blanked(
    observations: Observations, share: float, seed: int = 0, hidden: Collection[str] = ()
) -> dict[str, list[State | None]]:
    """The same observations with cells missing completely at random.

    Args:
        share: the probability, from 0 to 1, that a cell becomes None; cells are independent.
        seed: of the random choice of cells.
        hidden: variables whose cells all become None.

    Raises:
        UserError: the share is not a probability, or a hidden variable has no column.
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
