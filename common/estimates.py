"""A measured number with its standard error."""

from typing import NamedTuple


class Estimate(NamedTuple):
    """A measured number, in the unit that its source states, and its standard error in the same unit."""

    value: float
    standard_error: float
