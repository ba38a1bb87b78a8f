import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from data.pipelines import evaluation_batches, steps_per_epoch, training_batches
from tests.support import examples


def numbered(count):
    """Images of one pixel whose value is the index of the image."""
    return np.arange(count, dtype=np.uint8).reshape(count, 1, 1, 1)


def epochs_of(count, batch_size, seed, epochs, first_epoch=0):
    """The order of the images in each epoch."""
    batches = [
        np.rint(batch.numpy().ravel() * 255).astype(int)
        for batch in training_batches(numbered(count), batch_size, seed, epochs, first_epoch)
    ]
    steps = steps_per_epoch(count, batch_size)
    assert len(batches) == steps * (epochs - first_epoch)
    return [np.concatenate(batches[i : i + steps]).tolist() for i in range(0, len(batches), steps)]


@examples(10)
@given(st.integers(1, 40), st.integers(1, 16), st.integers(0, 5))
def test_every_epoch_shows_every_image_once(count, batch_size, seed):
    for order in epochs_of(count, batch_size, seed, epochs=2):
        assert sorted(order) == list(range(count))


def test_each_epoch_has_its_own_order_also_after_a_later_start():
    orders = epochs_of(30, 8, seed=1, epochs=4)
    assert len({tuple(order) for order in orders}) == 4
    assert epochs_of(30, 8, seed=1, epochs=4, first_epoch=2) == orders[2:]
    assert epochs_of(30, 8, seed=2, epochs=4) != orders


def test_pixels_are_in_the_unit_interval_and_in_order_for_evaluation():
    images = np.array([0, 51, 255], np.uint8).reshape(3, 1, 1, 1)
    pixels = np.concatenate([batch.numpy() for batch in evaluation_batches(images, 2)]).ravel()
    np.testing.assert_allclose(pixels, [0.0, 0.2, 1.0], rtol=1e-6)
    assert pixels.dtype == np.float32


def test_shifted_images_repeat_the_pixels_of_their_edge():
    side, most = 12, 3
    rows, columns = np.mgrid[:side, :side]
    images = np.stack([np.stack([rows, columns, np.full_like(rows, number)], -1) for number in range(60)])

    def moves(first_epoch=0):
        """The shift of each image in each epoch, (epochs, n, 2)."""
        epochs = []
        for batch in training_batches(images.astype(np.uint8), 60, 3, 3, first_epoch, shift=most):
            shown = np.rint(batch.numpy() * 255).astype(int)
            numbers = shown[:, 0, 0, 2]
            assert sorted(numbers) == list(range(60))
            moved = shown[:, side // 2, side // 2, :2] - side // 2
            expected = np.pad(images, ((0, 0), (most, most), (most, most), (0, 0)), "edge")
            for image, number, (down, right) in zip(shown, numbers, moved, strict=True):
                top, left = most + down, most + right
                np.testing.assert_array_equal(image, expected[number, top : top + side, left : left + side])
            epochs.append(moved[np.argsort(numbers)])
        return np.array(epochs)

    epochs = moves()
    assert set(epochs.ravel()) == set(range(-most, most + 1))
    assert np.any(epochs[0] != epochs[1])
    assert np.any(epochs[0, :, 0] != epochs[0, :, 1])
    np.testing.assert_array_equal(moves(first_epoch=1), epochs[1:])


def test_the_same_images_are_mirrored_with_and_without_shift():
    images = np.zeros((50, 1, 9, 1), np.uint8)
    images[:, :, :4] = 255
    plain, moved = (
        next(iter(training_batches(images, 50, 1, 1, flip=True, shift=shift))).numpy()[:, 0] for shift in (0, 2)
    )
    np.testing.assert_array_equal(plain[:, 0] > plain[:, -1], moved[:, 0] > moved[:, -1])


def test_with_flip_about_half_of_the_images_are_mirrored_and_others_in_each_epoch():
    # Two pixels wide: the left pixel is the number of the image, the right pixel is 255.
    images = np.full((200, 1, 2, 1), 255, np.uint8)
    images[:, 0, 0, 0] = np.arange(200)

    def mirrored(first_epoch=0):
        """The numbers of the images that are mirrored in each epoch."""
        epochs = []
        for batch in training_batches(images, 200, seed=3, epochs=3, first_epoch=first_epoch, flip=True):
            pixels = np.rint(batch.numpy()[:, 0, :, 0] * 255).astype(int)
            assert sorted(pixels.min(axis=1)) == list(range(200))
            epochs.append(set(pixels.min(axis=1)[pixels[:, 0] == 255].tolist()))
        return epochs

    epochs = mirrored()
    # Binomial(200, 1/2): mean 100, standard deviation 7; two epochs share about half of theirs.
    assert all(70 < len(epoch) < 130 for epoch in epochs)
    assert 30 < len(epochs[0] & epochs[1]) < 70
    assert mirrored(first_epoch=1) == epochs[1:]


def test_no_thread_tunes_a_pipeline_because_its_end_would_wait_for_that_thread():
    images = numbered(4)
    for batches in (training_batches(images, 2, seed=0, epochs=1), evaluation_batches(images, 2)):
        assert batches.options().autotune.enabled is False
