from itertools import pairwise

import numpy as np
import pytest

from data.face_painting import GAMMA
from data.faces import ENCODED, GAMMA_STEPS, render, render_many
from data.factors import FACTORS, NAMES, level_values, middle, sample_factors


def face(**changed):
    factors = middle()
    for name, value in changed.items():
        factors[NAMES.index(name)] = value
    return factors


def test_the_image_of_a_face_depends_on_its_factors_alone():
    factors = sample_factors(3)
    np.testing.assert_array_equal(render_many(factors, 32), [render(row, 32) for row in factors])


@pytest.mark.parametrize("size", [32, 48, 128])
@pytest.mark.parametrize("channels", [1, 3])
def test_faces_are_rendered_in_any_size_in_grey_or_rgb(size, channels):
    image = render(middle(), size, channels)
    assert image.shape == (size, size, channels)
    assert image.dtype == np.uint8
    assert image.std() > 20


def test_grey_is_the_luminance_of_rgb():
    weights = np.array([0.2126, 0.7152, 0.0722])
    linear = (render(middle(), 64, 3) / 255.0) ** 2.2 @ weights
    np.testing.assert_allclose((render(middle(), 64, 1)[..., 0] / 255.0) ** 2.2, linear, atol=0.012)


def test_a_small_image_is_the_average_of_a_large_image():
    large = render(middle(), 128)[..., 0].reshape(32, 4, 32, 4).mean((1, 3))
    difference = np.abs(large - render(middle(), 32)[..., 0])
    assert difference.mean() < 5


@pytest.mark.parametrize("factor", FACTORS, ids=lambda factor: factor.name)
def test_every_factor_changes_the_image_at_every_step_without_jumps(factor):
    steps = [render(face(**{factor.name: value}), 64).astype(float) for value in level_values(factor, 8)]
    changes = np.array([np.abs(after - before).mean() for before, after in pairwise(steps)])
    assert changes.min() > 0.03
    # No step makes more than half of the whole change.
    assert changes.max() < 0.5 * changes.sum()


def test_the_image_of_a_frontal_face_lit_from_the_front_is_symmetric():
    image = render(face(yaw=0.0, light_azimuth=0.0), 128).astype(float)[..., 0]
    features = image[50:120, 30:98]  # the hair is parted on one side
    # Glints and the texture of the skin are not mirrored: a few pixels.
    assert np.mean(np.abs(features - features[:, ::-1]) > 12) < 0.01


def test_the_signs_of_yaw_and_light_give_the_sides():
    turned = render(face(yaw=20.0, hair_length=0.0), 64)[..., 0].astype(float)
    mirrored = render(face(yaw=-20.0, hair_length=0.0), 64)[..., 0].astype(float)
    assert np.abs(turned - mirrored[:, ::-1]).mean() < 6
    assert np.abs(turned - mirrored).mean() > 8
    lit_from_right = render(face(light_azimuth=50.0), 64)[16:48, 16:48, 0].astype(float)
    assert lit_from_right[:, 16:].mean() > lit_from_right[:, :16].mean() + 10


def test_tones_get_lighter_towards_the_upper_end():
    for tone, region in (("background", (slice(0, 8), slice(0, 8))), ("skin_tone", (slice(28, 34), slice(24, 40)))):
        levels = [render(face(**{tone: share}), 64)[region].mean() for share in (0.0, 0.5, 1.0)]
        assert levels == sorted(levels)
        assert levels[2] - levels[0] > 60


def test_colours_are_encoded_as_a_power_would():
    linear = np.random.default_rng(0).random(10_000)
    steps = (linear * GAMMA_STEPS + 0.5).astype(int)
    assert np.abs(ENCODED[steps].astype(int) - np.rint(255 * linear ** (1 / GAMMA))).max() <= 1


def test_a_frown_shows_no_teeth_and_a_smile_does():
    def brightest(smile):
        opened = render(face(smile=smile, mouth_opening=1.0, skin_tone=0.0, light_azimuth=0.0), 128, 3)
        return opened[80:112, 40:88].min(axis=-1).max()  # red lips have little blue

    assert brightest(1.0) > brightest(-1.0) + 80


def test_longer_hair_covers_the_ears_and_reaches_lower():
    def beside_the_jaw(length):
        return render(face(hair_length=length, hair_tone=0.0, background=1.0), 128)[96:104, 16:26].mean()

    assert beside_the_jaw(0.0) > beside_the_jaw(1.0) + 80
