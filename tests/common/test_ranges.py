"""The ranges of numbers that flags accept."""

import math

from hypothesis import given
from hypothesis import strategies as st

from common.ranges import Range

NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=True, allow_infinity=True))


@given(low=st.integers(1, 100), width=st.integers(0, 100), zero=st.booleans(), number=NUMBERS)
def test_a_range_accepts_the_numbers_between_its_ends_and_zero_if_it_includes_zero(low, width, zero, number):
    allowed = math.isfinite(number) and (low <= number <= low + width or (zero and number == 0))
    assert (Range(low, low + width, zero).refusal(number) is None) == allowed


def test_a_refusal_names_the_accepted_numbers():
    assert Range(1, 1_000_000).refusal(0) == "must be from 1 to 1000000"
    assert Range(1e-6, 0.5, zero=True).refusal(math.nan) == "must be 0, or from 1e-06 to 0.5"
