"""Cells taken out of tables."""

import numpy as np
import pytest

from common.errors import UserError
from pgm_tfp.catalogue import student
from pgm_tfp.learning import blanked


def test_about_the_share_is_taken_out_and_the_rest_is_as_it_was():
    whole = student().sample(5000, seed=1)
    gaps = blanked(whole, 0.3, seed=2)
    assert list(gaps) == list(whole)
    for variable, column in gaps.items():
        taken = sum(state is None for state in column)
        assert abs(taken - 1500) < 5 * np.sqrt(5000 * 0.3 * 0.7)
        assert all(state is None or state == before for state, before in zip(column, whole[variable], strict=True))
        assert all(type(state) in (type(None), bool, int, str) for state in column)
    together = sum(d is None and g is None for d, g in zip(gaps["D"], gaps["G"], strict=True))
    assert abs(together - 450) < 5 * np.sqrt(5000 * 0.09 * 0.91)


def test_hidden_variables_lose_all_cells_and_a_share_of_zero_none():
    whole = {"D": ["easy", "hard"], "L": [True, False]}
    assert blanked(whole, 0.0, hidden=["D"]) == {"D": [None, None], "L": [True, False]}
    assert blanked(whole, 1.0) == {"D": [None, None], "L": [None, None]}


def test_the_same_seed_takes_the_same_cells():
    whole = student().sample(50)
    assert blanked(whole, 0.5, seed=3) == blanked(whole, 0.5, seed=3) != blanked(whole, 0.5, seed=4)


def test_what_cannot_be_taken_out_is_named():
    with pytest.raises(UserError, match=r"must lie from 0 to 1, given 30"):
        blanked({"D": ["easy"]}, 30)
    with pytest.raises(UserError, match="G has no column to hide; columns: D"):
        blanked({"D": ["easy"]}, 0.5, hidden=["G"])
