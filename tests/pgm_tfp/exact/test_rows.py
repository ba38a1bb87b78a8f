"""Rows put together, and sent through a tree in batches."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgm_tfp.catalogue import student
from pgm_tfp.exact import rows
from pgm_tfp.exact.rows import distinct_rows, likelihoods_of
from tests.pgm_tfp.oracles_exact import quickly


@quickly
@given(st.data(), st.integers(1, 12))
def test_distinct_rows_and_how_often_they_stand_are_the_table(data, count):
    states = student().states
    columns = {
        variable: data.draw(st.lists(st.sampled_from([None, *states[variable]]), min_size=count, max_size=count))
        for variable in "GD"
    }
    distinct = distinct_rows(student(), columns)
    named = [
        tuple(None if code < 0 else states[variable][code] for variable, code in zip("GD", row, strict=True))
        for row in zip(distinct.codes["G"], distinct.codes["D"], strict=True)
    ]
    assert len(set(named)) == len(named)
    expected = Counter(zip(columns["G"], columns["D"], strict=True))
    assert dict(zip(named, distinct.times(), strict=True)) == expected
    np.testing.assert_array_equal(distinct.first[distinct.which] <= np.arange(count), True)
    for variable, column in distinct.codes.items():
        repeated = [None if code < 0 else states[variable][code] for code in column[distinct.which]]
        assert repeated == columns[variable]


@pytest.mark.parametrize(("cells", "sizes"), [(None, [1] * 7), (30, [3, 3, 1]), (10**9, [1] * 7), (0, [7])])
def test_batches_cover_every_distinct_row_once_and_hold_as_many_as_fit(cells, sizes, monkeypatch):
    monkeypatch.setattr(rows, "CELLS_AT_ONCE", 100)
    distinct = distinct_rows(
        student(), {"G": [1, 2, 3, None, 1, 2, 3, None], "D": ["easy"] * 4 + ["hard"] * 3 + ["easy"]}
    )
    batches = [distinct.first[batch] for batch in distinct.batches(cells)]
    assert [len(batch) for batch in batches] == sizes
    np.testing.assert_array_equal(np.concatenate(batches), distinct.first)


def test_a_finding_is_a_likelihood_of_one_state_and_none_is_one_of_all():
    likelihoods = likelihoods_of(student(), {"G": np.array([2, -1, 0])})
    np.testing.assert_array_equal(likelihoods["G"], [[0, 1, 1], [0, 1, 0], [1, 1, 0]])
