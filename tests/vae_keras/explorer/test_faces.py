"""What the explorer shows, without a browser."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from common.errors import UserError
from data import factors
from data.dataset import Dataset
from data.images import ImagesInMemory
from data.split import Split
from tests.support import examples
from vae_keras.explorer.faces import Face, editable_labels, gif, png
from vae_keras.run_data import RunData

# The places of attributes among those with a direction, and their strengths.
STRENGTHS = st.dictionaries(st.sampled_from([0, 1, 2]), st.floats(-3, 3), max_size=3)
LATENTS = st.tuples(*[st.floats(-3, 3)] * 4)


def named(explorer, strengths):
    names = [*explorer.directions]
    return {names[place]: strength for place, strength in strengths.items()}


def test_of_two_labels_that_say_the_same_one_is_edited_and_a_smile_comes_first():
    smile = np.arange(20) % 2 == 0
    glasses, all_alike = np.arange(20) % 3 == 0, np.ones(20, bool)
    labels = np.stack([~smile, smile, glasses, all_alike], axis=1)
    names = ("non_smile", "smile", "glasses", "face")
    images = ImagesInMemory(np.zeros((20, 2, 2, 1), np.uint8))
    dataset = Dataset(images, tuple("abcdefghijklmnopqrst"), names, labels, None, (), labels)
    data = RunData(dataset, Split(np.arange(12), np.arange(12, 12), np.arange(12, 20)))
    assert editable_labels(data) == ["smile", "glasses"]


@given(latents=LATENTS, strengths=STRENGTHS)
def test_an_edit_adds_multiples_of_directions_between_class_means(explorer, latents, strengths):
    data, means = explorer.context.data, explorer.context.train_posterior.mean
    strengths = named(explorer, strengths)
    expected = np.array(latents)
    for name, strength in strengths.items():
        has = data.dataset.label(name)[data.split.train]
        expected = expected + strength * (means[has].mean(axis=0) - means[~has].mean(axis=0))
    np.testing.assert_allclose(explorer.latents_of(Face(latents, strengths)), expected, atol=1e-5)


@given(latents=LATENTS, strengths=STRENGTHS, number=st.integers(0, 3), value=st.floats(-3, 3))
def test_a_moved_latent_is_where_it_was_moved_to_and_nothing_else_has_moved(
    explorer, latents, strengths, number, value
):
    face = Face(latents, named(explorer, strengths))
    moved = explorer.with_latent(face, number, value)
    expected = explorer.latents_of(face)
    expected[number] = value
    np.testing.assert_allclose(explorer.latents_of(moved), expected, atol=1e-5)
    assert moved.strengths == face.strengths


def test_a_face_is_what_the_model_decodes(explorer):
    face = explorer.test_face(2).with_strength("smile", 1.5)
    decoded = np.asarray(explorer.vae.decode(explorer.latents_of(face)[None]))[0]
    np.testing.assert_allclose(explorer.pixels(face), 255 * decoded, atol=0.51)
    assert explorer.pixels(face).dtype == np.uint8
    np.testing.assert_allclose(face.latents, explorer.context.test_posterior.mean[2], atol=1e-6)


def test_random_faces_come_from_the_fitted_prior_and_repeat_by_seed(explorer):
    expected = explorer.context.fitted_prior.sample(1, 7)[0]
    np.testing.assert_allclose(explorer.random_face(7).latents, expected)
    assert explorer.random_face(7) == explorer.random_face(7)
    assert explorer.random_face(8) != explorer.random_face(7)


def test_latents_are_in_the_order_of_their_information(explorer):
    nats = [latent.nats for latent in explorer.latents]
    assert nats == sorted(nats, reverse=True)
    assert sorted(latent.number for latent in explorer.latents) == [0, 1, 2, 3]
    assert all(latent.name.startswith(f"z{latent.number}") for latent in explorer.latents)


def test_a_picture_of_ones_own_is_encoded_as_a_test_image_is(explorer):
    pixels = explorer.context.test_images.batch([3])[0]
    own = explorer.own_picture(png(pixels), "me\n.png")
    np.testing.assert_array_equal(own.pixels, pixels)
    np.testing.assert_allclose(own.face.latents, explorer.test_face(3).latents, atol=1e-5)
    assert own.face.source == r"picture me\n.png"


def test_noise_is_unlike_the_test_images(explorer):
    pixels = explorer.context.test_images.batch([3])[0]
    noise = np.random.default_rng(0).integers(0, 256, pixels.shape, np.uint8)
    like, unlike = explorer.likeness(pixels), explorer.likeness(noise)
    assert unlike.elbo < like.elbo
    assert unlike.share_below == 0.0
    assert 0 <= like.share_below < 1


@pytest.mark.parametrize("content", [b"", b"text", png(np.zeros((40, 40, 3), np.uint8))[:60]], ids=len)
def test_what_is_no_picture_is_refused(explorer, content):
    with pytest.raises(UserError):
        explorer.own_picture(content, "me.png")


@given(latents=LATENTS, strengths=STRENGTHS)
def test_a_saved_face_is_read_back(explorer, latents, strengths):
    face = Face(latents, named(explorer, strengths), "a face")
    assert explorer.face_from_json(face.as_json()) == face


@pytest.mark.parametrize(
    "text",
    [
        "", "{}", "[1]", "null", '{"latents": 1, "strengths": {}}', '{"latents": [0, 0, 0], "strengths": {}}',
        '{"latents": [0, 0, 0, NaN], "strengths": {}}', '{"latents": [0, 0, 0, 1e999], "strengths": {}}',
        '{"latents": [0, 0, 0, 0], "strengths": {"beard": 1}}', '{"latents": [0, 0, 0, 0], "strengths": []}',
        '{"latents": [0, 0, 0, "x"], "strengths": {}}', "[" * 100_000,
    ],
    ids=lambda text: text[:40],
)  # fmt: skip
def test_what_is_no_face_of_this_model_is_refused(explorer, text):
    with pytest.raises(UserError):
        explorer.face_from_json(text)


def test_a_traversal_moves_one_slider_through_its_range(explorer):
    face = explorer.test_face(0)
    frames = explorer.traversal(face, "smile", 3)
    np.testing.assert_allclose(frames[0], explorer.pixels(face.with_strength("smile", -3.0)), atol=1)
    np.testing.assert_allclose(frames[1], explorer.pixels(face), atol=1)
    frames = explorer.traversal(face, 2, 3)
    np.testing.assert_allclose(frames[2], explorer.pixels(explorer.with_latent(face, 2, 3.0)), atol=1)


def test_the_nearest_point_on_the_map_is_found(explorer):
    for place, (x, y) in enumerate(explorer.map):
        assert explorer.nearest_on_map(x, y) == place


def test_a_walk_begins_and_ends_at_its_faces(explorer):
    start, end = explorer.test_face(0), explorer.test_face(1).with_strength("smile", 1.0)
    frames = explorer.walk(start, end, 5)
    assert frames.shape == (5, *explorer.vae.image_shape)
    np.testing.assert_allclose(frames[0], explorer.pixels(start), atol=1)
    np.testing.assert_allclose(frames[-1], explorer.pixels(end), atol=1)


def test_the_renderer_draws_the_factors_that_are_read(explorer):
    assert explorer.reads_factors
    read = explorer.factors_of(explorer.context.test_images.batch([0])[0])
    assert {*read} == {*factors.NAMES}
    middle = explorer.rendered(dict.fromkeys(factors.NAMES, 0.0))
    assert middle.shape == explorer.vae.image_shape
    assert not np.array_equal(middle, explorer.rendered({**dict.fromkeys(factors.NAMES, 0.0), "smile": 1.5}))
    # Beyond the range, a factor stays at its end: the square root of 3, in standard deviations.
    ends = [explorer.rendered(dict.fromkeys(factors.NAMES, far)) for far in (np.sqrt(3), 9.0)]
    np.testing.assert_array_equal(*ends)


def test_the_map_has_a_point_for_each_test_image(explorer):
    assert explorer.map.shape == (len(explorer.context.test_images), 2)
    np.testing.assert_allclose([explorer.map.min(axis=0), explorer.map.max(axis=0)], [[0, 0], [1, 1]])


@pytest.mark.parametrize("channels", [1, 3])
@examples(10)
@given(seed=st.integers(0, 100))
def test_files_hold_the_pixels(channels, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (3, 8, 8, channels), np.uint8)
    with Image.open(io.BytesIO(png(pixels[0]))) as read:
        np.testing.assert_array_equal(np.asarray(read).reshape(8, 8, channels), pixels[0])
    with Image.open(io.BytesIO(gif(pixels))) as read:
        assert read.n_frames == 4  # there and back
