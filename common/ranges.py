"""Ranges of numbers: what a setting accepts, and the words that refuse other numbers."""

from math import inf
from typing import NamedTuple


class Range(NamedTuple):
    """The numbers that a setting or a flag accepts.

    Attributes:
        low, high: the smallest and the largest number; `high` can be infinite.
        zero: whether 0 is accepted too, although it is smaller than `low`.
        step: only multiples of this number are accepted; 0 accepts every number.
    """

    low: float
    high: float
    zero: bool = False
    step: int = 0

    @property
    def words(self) -> str:
        """The accepted numbers in words."""
        if self.high == inf:
            return f"{'0, or ' if self.zero else ''}{_shown(self.low)} or more"
        steps = f"a multiple of {self.step} " if self.step else ""
        return f"{'0, or ' if self.zero else ''}{steps}from {_shown(self.low)} to {_shown(self.high)}"

    def refusal(self, number: float) -> str | None:
        """The end of an error message that says why the number is refused; None if the number is accepted."""
        inside = self.low <= number <= self.high  # false for not-a-number
        if (self.zero and number == 0) or (inside and not (self.step and number % self.step)):
            return None
        return f"must be {self.words}"


def _shown(number: float) -> str:
    """The number as text: a whole number with all its digits, another number in six digits at most."""
    return str(int(number)) if number == int(number) else f"{number:g}"


SEEDS = Range(0, 2**20 - 1)  # so small that a layer's own seed, 1000 x seed + layer, fits into 32 bits
