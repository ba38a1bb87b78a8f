import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from data.split import split_indices

counts = st.integers(10, 400)
seeds = st.integers(0, 50)


@given(counts, seeds, st.sampled_from([0.0, 0.1, 0.25]), st.integers(1, 4))
def test_parts_are_disjoint_and_exhaustive_and_have_the_requested_sizes(count, seed, validation, n_classes):
    classes = np.random.default_rng(seed).integers(n_classes, size=count).astype(str)
    split = split_indices(count, classes, validation, seed)
    np.testing.assert_array_equal(np.sort(np.concatenate(split)), np.arange(count))
    assert len(split.test) == round(0.2 * count)
    assert len(split.validation) == round(validation * count)


@given(counts, seeds)
def test_every_part_has_each_class_in_proportion(count, seed):
    classes = np.random.default_rng(seed).choice(["a", "b", "c"], p=[0.6, 0.3, 0.1], size=count)
    split = split_indices(count, classes, 0.1, seed)
    for name in np.unique(classes):
        share = np.mean(classes == name)
        for part in split:
            # A part is the difference of two prefixes, and in each the class deviates by about one image.
            assert abs(np.sum(classes[part] == name) - share * len(part)) <= 3


@given(counts, seeds)
def test_the_test_part_does_not_depend_on_validation(count, seed):
    without, with_validation = (split_indices(count, None, share, seed) for share in (0.0, 0.1))
    np.testing.assert_array_equal(without.test, with_validation.test)
    np.testing.assert_array_equal(
        without.train, np.sort(np.concatenate([with_validation.train, with_validation.validation]))
    )


def test_the_same_seed_gives_the_same_split_and_another_seed_another_split():
    first, again, other = (split_indices(100, None, 0.1, seed).test.tolist() for seed in (3, 3, 4))
    assert first == again != other


def test_too_few_images_and_no_image_left_to_train_on_are_errors():
    with pytest.raises(UserError, match="too few"):
        split_indices(9)
    with pytest.raises(UserError, match="no image to train on"):
        split_indices(10, validation=0.79)
    with pytest.raises(UserError, match="less than one"):
        split_indices(10, validation=0.01)


def test_without_identical_images_a_seed_gives_the_split_of_earlier_versions():
    # From the split.json of runs of earlier versions.
    classes = np.arange(40) % 3 == 0
    assert split_indices(40, classes, 0.1, 5).test.tolist() == [5, 12, 14, 19, 21, 28, 29, 30]
    splits = [
        split_indices(count, classes, validation, seed, digests)
        for count in (10, 101, 400)
        for classes in (None, np.random.default_rng(count).integers(3, size=count).astype(str))
        for validation, seed in ((0.0, 0), (0.1, 3), (0.25, 7))
        for digests in (None, [f"{index:x}" for index in range(count)])
    ]
    for without, with_digests in zip(splits[::2], splits[1::2], strict=True):
        for one, other in zip(without, with_digests, strict=True):
            np.testing.assert_array_equal(one, other)
    together = b"".join(part.astype("<i8").tobytes() for split in splits[::2] for part in split)
    assert hashlib.sha256(together).hexdigest()[:16] == "5435aa28f7eb448c"


# For each image a number; images with the same number are identical.
contents = st.lists(st.integers(0, 300), min_size=30, max_size=300)


@given(contents, seeds, st.sampled_from([0.0, 0.1, 0.25]))
def test_identical_images_are_in_one_part_and_no_part_is_too_large(content, seed, validation):
    count, largest = len(content), max(content.count(one) for one in content)
    if len(set(content)) < 0.8 * count:  # otherwise there may be too few different images
        content = [one if place % 2 else f"other {place}" for place, one in enumerate(content)]
        largest = max(content.count(one) for one in content)
    split = split_indices(count, None, validation, seed, content)
    np.testing.assert_array_equal(np.sort(np.concatenate(split)), np.arange(count))
    inside = [{content[index] for index in part} for part in split]
    assert sum(map(len, inside)) == len(set(content))
    for part, wanted in ((split.test, round(0.2 * count)), (split.validation, round(validation * count))):
        assert wanted - largest < len(part) <= wanted


@given(seeds, st.integers(1, 4))
def test_with_identical_images_every_part_has_each_class_in_proportion(seed, copies):
    classes = np.random.default_rng(seed).choice(["a", "b", "c"], p=[0.6, 0.3, 0.1], size=300)
    content = [f"{name}{place // copies}" for place, name in enumerate(classes)]
    split = split_indices(300, classes, 0.1, seed, content)
    for name in np.unique(classes):
        share = np.mean(classes == name)
        for part in split:
            assert abs(np.sum(classes[part] == name) - share * len(part)) <= 3 * copies


def test_many_copies_of_one_image_go_to_train():
    for seed in range(5):
        split = split_indices(100, None, 0.1, seed, [min(index, 60) for index in range(100)])
        assert set(range(60, 100)) <= set(split.train.tolist())
        assert len(split.test) == 20
        assert len(split.validation) == 10


def test_too_few_different_images_are_an_error():
    with pytest.raises(UserError, match="only 3 of 40 images are different, too few to split; add images"):
        split_indices(40, None, 0.1, 0, [index % 3 for index in range(40)])
    with pytest.raises(UserError, match="only 1 of 20 images are different"):
        split_indices(20, None, 0.0, 0, [0] * 20)
