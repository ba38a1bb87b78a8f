import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from data import factors
from data.face_shapes import Factors


def test_the_renderer_reads_the_factors_in_the_order_they_are_declared():
    assert Factors._fields == factors.NAMES


@given(st.integers(1, 50), st.integers(0, 1000))
def test_a_larger_set_begins_with_the_faces_of_a_smaller_set(count, seed):
    np.testing.assert_array_equal(factors.sample_factors(count + 7, seed)[:count], factors.sample_factors(count, seed))


def test_factors_fill_their_ranges_uniformly_and_independently():
    table = factors.sample_factors(4000)
    low, high = (np.array([getattr(f, end) for f in factors.FACTORS]) for end in ("low", "high"))
    unit = (table - low) / (high - low)
    assert unit.min() >= 0
    assert unit.max() <= 1
    # Five standard errors of the mean of a uniform variable, and of a correlation.
    assert np.abs(unit.mean(0) - 0.5).max() < 5 / np.sqrt(12 * 4000)
    correlations = np.corrcoef(unit.T) - np.eye(len(factors.FACTORS))
    assert np.abs(correlations).max() < 5 / np.sqrt(4000)


def test_different_seeds_give_different_faces():
    assert not np.any(factors.sample_factors(5, 0) == factors.sample_factors(5, 1))


def test_labels_are_true_above_the_threshold():
    table = factors.sample_factors(100)
    labels = factors.labels_of(table)
    smile = factors.NAMES.index("smile")
    np.testing.assert_array_equal(labels[:, smile], table[:, smile] > 0)
    assert 0.2 < labels.mean() < 0.8
