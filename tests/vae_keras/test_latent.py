import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special
from scipy.stats import norm

import vae_keras
from vae_keras.gaussians import Posterior
from vae_keras.latent import (
    attribute_direction,
    decode_latents,
    density_path,
    encode_images,
    information_of_latents,
    lerp,
    slerp,
    traverse,
)
from vae_keras.priors import Mixture, Prior, StandardNormal

points = arrays(float, 4, elements=st.floats(-3, 3))
SHARES = np.linspace(0, 1, 5)


@given(points, points)
def test_paths_start_and_end_where_they_should(start, end):
    for path in (lerp, slerp):
        walked = path(start, end, SHARES)
        assert walked.shape == (5, 4)
        np.testing.assert_allclose(walked[[0, -1]], [start, end], atol=1e-6)


def test_the_spherical_path_keeps_the_norm_and_turns_evenly():
    start, end = np.array([2.0, 0, 0]), np.array([0, 1.2, 1.6])
    walked = slerp(start, end, SHARES)
    np.testing.assert_allclose(np.linalg.norm(walked, axis=1), 2.0)
    np.testing.assert_allclose(np.degrees(np.arccos(walked[:-1] * walked[1:] @ np.ones(3) / 4)), 90 / 4)
    assert np.linalg.norm(lerp(start, end, SHARES)[2]) == pytest.approx(np.sqrt(2))


@pytest.mark.parametrize("factor", [2.0, -1.0, 0.0])
def test_along_a_line_through_the_origin_the_spherical_path_is_straight(factor):
    start = np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(slerp(start, factor * start, SHARES), lerp(start, factor * start, SHARES), atol=1e-6)


def test_the_direction_of_an_attribute_is_the_difference_of_class_means():
    means = np.array([[0.0, 1], [2, 3], [10, 0], [12, 2]])
    has = np.array([False, False, True, True])
    np.testing.assert_array_equal(attribute_direction(means, has), [10, -1])


@pytest.fixture(scope="module")
def ring():
    """Latents on a circle of radius two, and hardly any in its middle."""
    angle = np.arange(16) * np.pi / 8
    return Mixture(
        np.full(16, 1 / 16), 2 * np.stack([np.cos(angle), np.sin(angle)], 1), np.stack([0.05 * np.eye(2)] * 16)
    )


def test_the_path_along_the_density_goes_round_a_hole(ring):
    start, end = np.array([2.0, 0.1], np.float32), np.array([-2.0, 0.1], np.float32)
    walked = density_path(start, end, np.linspace(0, 1, 21), ring)
    np.testing.assert_allclose(walked[[0, -1]], [start, end], atol=1e-6)
    straight = lerp(start, end, np.linspace(0, 1, 21))
    assert np.linalg.norm(straight, axis=1).min() < 0.2
    assert np.linalg.norm(walked, axis=1).min() > 1.5
    assert np.min(ring.log_prob(walked)) > np.min(ring.log_prob(straight)) + 10
    steps = np.linalg.norm(np.diff(walked, axis=0), axis=1)
    assert steps.max() < 1.1 * steps.min()
    assert steps.sum() < 2.5 * np.pi  # not much longer than half of the circle


def test_where_no_point_is_denser_than_another_the_path_is_straight():
    wide = Mixture(np.ones(1), np.zeros((1, 3)), 1e8 * np.eye(3)[None])
    start, end = np.array([1.0, -2, 0.5], np.float32), np.array([0.0, 1, 1], np.float32)
    np.testing.assert_allclose(density_path(start, end, SHARES, wide), lerp(start, end, SHARES), atol=1e-4)
    np.testing.assert_array_equal(density_path(start, start, SHARES, wide), np.tile(start, (5, 1)))


def test_many_images_are_encoded_and_decoded_as_each_alone(monkeypatch):
    monkeypatch.setattr("vae_keras.latent.BATCH", 3)
    vae = vae_keras.build_vae((32, 32, 1), 4)
    images = np.random.default_rng(0).integers(0, 256, (7, 32, 32, 1), dtype=np.uint8)
    posterior = encode_images(vae, images)
    whole = vae.encode(images.astype(np.float32) / 255)
    for ours, expected in zip(posterior, whole, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(decode_latents(vae, posterior.mean), vae.decode(whole.mean), rtol=1e-4, atol=1e-5)


class UnknownMarginals(Prior):
    """A prior that gives no KL of a single latent."""


@given(arrays(float, (5, 2), elements=st.floats(-3, 3)), arrays(float, (5, 2), elements=st.floats(-3, 1)))
def test_without_a_kl_of_one_latent_its_information_is_bounded_from_above(mean, log_variance):
    bound = information_of_latents(UnknownMarginals(), Posterior(mean, log_variance))
    assert (bound.is_kl, bound.name) == (False, "information")
    for latent in range(2):
        z = np.linspace(-15, 15, 20_001)[:, None]
        densities = norm.pdf(z, mean[:, latent], np.exp(0.5 * log_variance[:, latent]))
        mixture = densities.mean(axis=1, keepdims=True)
        each = np.trapezoid(special.rel_entr(densities, mixture), z[:, 0], axis=0)
        # It is exact where all images together are normal, as they are if all have the same posterior.
        assert bound.nats[latent] >= each.mean() - 1e-6
        step = np.sqrt(np.trapezoid(mixture[:, 0] * z[:, 0] ** 2, z[:, 0]) - mean[:, latent].mean() ** 2)
        normal = norm.pdf(z, mean[:, latent].mean(), step)
        rest = np.trapezoid(special.rel_entr(mixture, normal), z[:, 0], axis=0)[0]
        assert bound.nats[latent] == pytest.approx(each.mean() + rest, abs=1e-5)


def test_with_a_kl_of_one_latent_the_sum_is_the_kl():
    posterior = Posterior(np.array([[1.0, 0], [-1, 0]]), np.array([[0.0, 0], [-1, 0]]))
    information = information_of_latents(StandardNormal(2), posterior)
    assert information.is_kl
    assert information.nats.sum() == pytest.approx(np.mean(StandardNormal(2).kl(posterior, posterior.mean)))
    assert list(information.order) == [0, 1]


def test_a_traversal_changes_one_latent_and_leaves_the_others():
    moved = traverse(np.array([1.0, 2, 3]), np.array([2, 0]), np.array([-5.0, 5]))
    np.testing.assert_array_equal(moved, [[[1, 2, -5], [1, 2, 5]], [[-5, 2, 3], [5, 2, 3]]])
