import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import UserError
from data.split import split_indices

counts = st.integers(10, 400)
seeds = st.integers(0, 50)


@given(counts, seeds, st.sampled_from([0.0, 0.1, 0.25]), st.integers(1, 4))
def test_parts_are_disjoint_exhaustive_and_of_the_asked_size(count, seed, validation, n_classes):
    classes = np.random.default_rng(seed).integers(n_classes, size=count).astype(str)
    split = split_indices(count, classes, validation, seed)
    np.testing.assert_array_equal(np.sort(np.concatenate(split)), np.arange(count))
    assert len(split.test) == round(0.2 * count)
    assert len(split.validation) == round(validation * count)


@given(counts, seeds)
def test_every_part_holds_each_class_in_proportion(count, seed):
    classes = np.random.default_rng(seed).choice(["a", "b", "c"], p=[0.6, 0.3, 0.1], size=count)
    split = split_indices(count, classes, 0.1, seed)
    for name in np.unique(classes):
        share = np.mean(classes == name)
        for part in split:
            # A part is the difference of two prefixes, each within about an image a class of its share.
            assert abs(np.sum(classes[part] == name) - share * len(part)) <= 3


@given(counts, seeds)
def test_the_test_part_does_not_depend_on_validation(count, seed):
    without, with_validation = (split_indices(count, None, share, seed) for share in (0.0, 0.1))
    np.testing.assert_array_equal(without.test, with_validation.test)
    np.testing.assert_array_equal(
        without.train, np.sort(np.concatenate([with_validation.train, with_validation.validation]))
    )


def test_the_same_seed_gives_the_same_split_and_another_another():
    first, again, other = (split_indices(100, None, 0.1, seed).test.tolist() for seed in (3, 3, 4))
    assert first == again != other


def test_too_few_images_and_nothing_left_to_train_on_are_errors():
    with pytest.raises(UserError, match="too few"):
        split_indices(9)
    with pytest.raises(UserError, match="nothing to train on"):
        split_indices(10, validation=0.79)
    with pytest.raises(UserError, match="less than one"):
        split_indices(10, validation=0.01)
