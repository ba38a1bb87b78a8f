import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from data.images import Images, ImagesInMemory, images_of
from data.pipelines import evaluation_batches, reading, training_batches

PIXELS = np.arange(23 * 4 * 4 * 3, dtype=np.int64).reshape(23, 4, 4, 3).astype(np.uint8)
INDICES = st.lists(st.integers(0, 22), max_size=40)


class Gone(Images):
    """Images that cannot be read from the fifth on."""

    count, image_shape = 23, (4, 4, 3)

    def batch(self, indices):
        if max(indices) > 4:
            raise UserError("the disk is gone; plug it in again")
        return PIXELS[indices]


@given(indices=INDICES, again=st.data())
def test_a_part_of_a_part_gives_the_images_that_an_array_gives(indices, again):
    part = ImagesInMemory(PIXELS).part(indices)
    np.testing.assert_array_equal(part.all(), PIXELS[np.array(indices, int)])
    if indices:
        places = again.draw(st.lists(st.integers(0, len(indices) - 1)))
        expected = PIXELS[np.array(indices, int)][np.array(places, int)]
        np.testing.assert_array_equal(part.batch(places), expected)
        np.testing.assert_array_equal(part.part(places).all(), expected)


@pytest.mark.parametrize("size", [1, 5, 23, 100])
def test_batches_are_all_images_once_and_in_order(size):
    batches = [*images_of(PIXELS).batches(size)]
    assert [len(batch) for batch in batches[:-1]] == [size] * (len(batches) - 1)
    np.testing.assert_array_equal(np.concatenate(batches), PIXELS)


def test_a_batch_is_a_copy():
    images = images_of(PIXELS.copy())
    images.batch([3])[:] = 0
    np.testing.assert_array_equal(images.all(), PIXELS)


def test_a_pipeline_reads_no_image_before_its_batch():
    asked = []

    class Counted(ImagesInMemory):
        def batch(self, indices):
            asked.extend(indices)
            return super().batch(indices)

    batches = iter(evaluation_batches(Counted(PIXELS), 2))
    assert not asked
    next(batches)
    assert len(asked) <= 2 * 5  # this batch, and what is read ahead


@pytest.mark.parametrize("batches", [lambda: evaluation_batches(Gone(), 2), lambda: training_batches(Gone(), 9, 0, 1)])
def test_images_that_cannot_be_read_end_a_pipeline_with_their_own_error(batches):
    with pytest.raises(UserError, match="plug it in again"), reading():
        for _ in batches():
            pass


def test_a_mask_is_no_index():
    with pytest.raises(TypeError, match="flatnonzero"):
        images_of(PIXELS).batch(np.arange(23) > 3)
