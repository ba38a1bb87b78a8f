import itertools

import numpy as np
import pytest
import scipy.linalg

from common.errors import UserError
from vae_keras.metrics import sample_quality
from vae_keras.metrics.sample_quality import frechet_distance, kernel_distance


def normal(count, width, seed, mean=0.0):
    """Correlated Gaussian features, (count, width), float32 as a network gives them."""
    random = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(width, width))
    return (mean + random.normal(size=(count, width)) @ mixing).astype(np.float32)


def test_frechet_distance_agrees_with_a_general_matrix_square_root():
    first, second = normal(200, 6, 0), 0.5 + normal(90, 6, 1) ** 2
    means = [features.astype(float).mean(axis=0) for features in (first, second)]
    covariances = [np.cov(features.astype(float), rowvar=False) for features in (first, second)]
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1]).real
    expected = np.sum((means[0] - means[1]) ** 2) + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(second, first) == pytest.approx(expected, rel=1e-9)


def test_frechet_distance_of_fewer_images_than_features_agrees_with_the_nuclear_norm():
    # For centred X and Y with n - 1 and m - 1 divided out, tr (X'X Y'Y)^1/2 is the sum of the singular values of X Y'.
    first, second = normal(20, 50, 0), 2 * normal(30, 50, 1) + 1
    centred = [(f - f.mean(axis=0, dtype=float)) / np.sqrt(len(f) - 1) for f in (first, second)]
    shift = np.sum((first.mean(axis=0, dtype=float) - second.mean(axis=0, dtype=float)) ** 2)
    spread = sum(np.sum(c**2) for c in centred) - 2 * np.linalg.norm(centred[0] @ centred[1].T, "nuc")
    assert frechet_distance(first, second) == pytest.approx(shift + spread, rel=1e-6)


def test_frechet_distance_in_one_dimension_is_that_of_means_and_standard_deviations():
    first, second = np.random.default_rng(0).normal(size=(2, 50, 1)) * [[[1.0]], [[3.0]]] + [[[0.0]], [[2.0]]]
    expected = (first.mean() - second.mean()) ** 2 + (first.std(ddof=1) - second.std(ddof=1)) ** 2
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-9)


def test_frechet_distance_of_a_shift_is_its_square_and_of_a_set_to_itself_zero():
    features = normal(100, 5, 0)
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-6)
    distances = [frechet_distance(features, features + np.float64(shift)) for shift in (0.1, 1, 10)]
    np.testing.assert_allclose(distances, [5 * shift**2 for shift in (0.1, 1, 10)], rtol=1e-4)


def test_frechet_distance_is_never_below_zero():
    # Rounding alone would give minus a few millionths.
    assert all(frechet_distance(f, f) >= 0 for f in (1000 * normal(20, 60, seed) for seed in range(5)))


def test_frechet_distance_is_larger_on_fewer_images_of_one_distribution():
    distances = [frechet_distance(normal(n, 8, 0), normal(n, 8, 1)) for n in (20, 200, 2000)]
    assert distances[0] > distances[1] > distances[2] > 0


@pytest.mark.parametrize(
    "distance", [frechet_distance, lambda *sets: kernel_distance(*sets)], ids=["frechet", "kernel"]
)
def test_distances_do_not_change_under_a_rotation(distance):
    first, second = normal(40, 6, 0), normal(30, 6, 1, mean=1.0)
    rotation = scipy.linalg.qr(np.random.default_rng(2).normal(size=(6, 6)))[0]
    np.testing.assert_allclose(distance(first @ rotation, second @ rotation), distance(first, second), rtol=1e-6)


def kernel(x, y):
    return (float(np.dot(x.astype(float), y.astype(float))) / len(x) + 1) ** 3


def kernel_distance_by_loops(first, second):
    among_first = np.mean([kernel(x, other) for x, other in itertools.permutations(first, 2)])
    among_second = np.mean([kernel(y, other) for y, other in itertools.permutations(second, 2)])
    across = np.mean([kernel(x, y) for x in first for y in second])
    return among_first + among_second - 2 * across


@pytest.mark.parametrize("block", [5, 1024])
@pytest.mark.parametrize(("n", "m"), [(12, 12), (17, 9), (3, 8)])
def test_kernel_distance_agrees_with_loops_over_all_pairs(n, m, block, monkeypatch):
    monkeypatch.setattr(sample_quality, "BLOCK", block)
    first, second = normal(n, 4, 0), normal(m, 4, 1, mean=0.3)
    assert kernel_distance(first, second).value == pytest.approx(kernel_distance_by_loops(first, second), rel=1e-9)


@pytest.mark.parametrize("block", [4, 1024])
@pytest.mark.parametrize(("n", "m"), [(10, 10), (11, 6)])
def test_its_error_agrees_with_leaving_each_image_out(n, m, block, monkeypatch):
    monkeypatch.setattr(sample_quality, "BLOCK", block)
    first, second = normal(n, 4, 0), normal(m, 4, 1, mean=0.3)
    variance = 0.0
    for left_out in (
        [kernel_distance_by_loops(np.delete(first, i, axis=0), second) for i in range(n)],
        [kernel_distance_by_loops(first, np.delete(second, j, axis=0)) for j in range(m)],
    ):
        count = len(left_out)
        variance += (count - 1) / count * np.sum((np.array(left_out) - np.mean(left_out)) ** 2)
    assert kernel_distance(first, second).standard_error == pytest.approx(np.sqrt(variance), rel=1e-9)


def expected_kernel(first_mean, second_mean, variance):
    """E k(x, y) for independent scalar Gaussians, from the moments of each."""

    def moments(mean):
        return 1, mean, mean**2 + variance, mean**3 + 3 * mean * variance

    # (x y + 1)^3 = sum_p binomial(3, p) x^p y^p
    return sum(w * a * b for w, a, b in zip((1, 3, 3, 1), moments(first_mean), moments(second_mean), strict=True))


def test_kernel_distance_is_unbiased():
    random = np.random.default_rng(0)
    for shift in (0.0, 0.7):
        draws = [
            kernel_distance(random.normal(0, 1, (15, 1)), random.normal(shift, 1, (10, 1))).value for _ in range(3000)
        ]
        exact = expected_kernel(0, 0, 1) + expected_kernel(shift, shift, 1) - 2 * expected_kernel(0, shift, 1)
        assert np.mean(draws) == pytest.approx(exact, abs=4 * np.std(draws) / np.sqrt(len(draws)))


def test_counting_each_image_against_itself_would_be_biased():
    random = np.random.default_rng(0)
    draws = []
    for _ in range(1000):
        together = random.normal(size=(20, 1))
        values = (together @ together.T + 1) ** 3
        draws.append(values[:10, :10].mean() + values[10:, 10:].mean() - 2 * values[:10, 10:].mean())
    assert np.mean(draws) > 10 * np.std(draws) / np.sqrt(len(draws))


@pytest.mark.parametrize(
    ("shift", "too_large"), [(1.0, 1.0), (0.0, np.sqrt(2))], ids=["two distributions", "one distribution"]
)
@pytest.mark.parametrize(("n", "m"), [(200, 200), (300, 120)])
def test_the_standard_error_is_the_spread_over_draws_and_errs_upwards_for_one_distribution(n, m, shift, too_large):
    random = np.random.default_rng(3)
    draws = np.array(
        [kernel_distance(random.normal(0, 1, (n, 4)), random.normal(shift, 1, (m, 4))) for _ in range(600)]
    )
    distances, errors = draws.T
    assert np.sqrt(np.mean(errors**2)) / np.std(distances) == pytest.approx(too_large, rel=0.12)


def test_kernel_distance_rises_with_a_shift_and_tells_it_from_none():
    first, second = normal(300, 5, 0), normal(300, 5, 1)
    distances = [kernel_distance(first, second + np.float64(shift)) for shift in (0, 1, 2, 4)]
    assert sorted(distances) == distances
    assert abs(distances[0].value) < 3 * distances[0].standard_error
    assert distances[3].value > 3 * distances[3].standard_error


@pytest.mark.parametrize("distance", [frechet_distance, kernel_distance])
def test_too_few_images_are_an_error_in_one_line(distance):
    for sets in ((normal(2, 4, 0), normal(9, 4, 1)), (normal(9, 4, 0), normal(2, 4, 1))):
        with pytest.raises(UserError, match=r"^too few images to compare \(2\); .* pass more with --data$"):
            distance(*sets)
