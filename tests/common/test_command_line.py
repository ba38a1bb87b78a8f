"""What all scripts share: numbers in range, one-line errors, streams that are closed or cannot encode a name."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.command_line import SEEDS, Parser, Range, seed
from common.errors import UserError

NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=True, allow_infinity=True))


@given(low=st.integers(1, 100), width=st.integers(0, 100), zero=st.booleans(), number=NUMBERS)
def test_a_range_allows_the_numbers_between_its_ends_and_zero_where_it_says_so(low, width, zero, number):
    allowed = math.isfinite(number) and (low <= number <= low + width or (zero and number == 0))
    assert (Range(low, low + width, zero).refusal(number) is None) == allowed


def test_a_refusal_says_which_numbers_are_allowed():
    assert Range(1, 1_000_000).refusal(0) == "must be from 1 to 1000000"
    assert Range(1e-6, 0.5, zero=True).refusal(math.nan) == "must be 0, or from 1e-06 to 0.5"


@given(st.integers())
def test_a_seed_is_taken_or_refused_in_one_line_that_holds_it(number):
    parser = Parser(prog="test")
    parser.add_argument("--seed", type=seed)
    if SEEDS.low <= number <= SEEDS.high:
        assert parser.flags([f"--seed={number}"]).seed == number
    else:
        with pytest.raises(UserError, match=rf"--seed: {number} must be from 0 to 1048575; see --help$"):
            parser.flags([f"--seed={number}"])
