"""Every family's draws have the density that it claims."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.integrate import cumulative_trapezoid
from scipy.stats import kstest

from pgm_tfp.variational import FAMILIES, ReparameterisedFamily

CONTINUOUS = {name: family for name, family in FAMILIES.items() if isinstance(family, ReparameterisedFamily)}


def parameters_of(family, dimensions, seed=0):
    random = np.random.default_rng(seed)
    start = family.start(np.zeros(dimensions), np.ones(dimensions), random)
    return {name: tf.constant(0.5 + 0.3 * random.normal(size=array.shape)) for name, array in start.items()}


def draws_of(family, parameters, dimensions, samples):
    return family.draw(parameters, tf.constant(family.noise(dimensions, samples, seed=0))).numpy()


@pytest.mark.parametrize("name", CONTINUOUS)
def test_draws_along_a_line_have_the_density(name):
    family = CONTINUOUS[name]
    parameters = parameters_of(family, 1)
    points = np.linspace(-40, 40, 80_001)
    density = family.distribution(parameters).prob(points[:, None]).numpy()
    cumulative = cumulative_trapezoid(density, points, initial=0)
    assert cumulative[-1] == pytest.approx(1.0, abs=1e-4)
    draws = draws_of(family, parameters, 1, 2_048)[:, 0]
    # Evenly spread draws lie nearer to their distribution than random ones would.
    assert kstest(draws, lambda at: np.interp(at, points, cumulative)).statistic < 0.01


@pytest.mark.parametrize("name", CONTINUOUS)
def test_draws_in_the_plane_have_the_moments_of_the_distribution(name):
    family = CONTINUOUS[name]
    parameters = parameters_of(family, 2)
    draws = draws_of(family, parameters, 2, 4_096)
    others = family.distribution(parameters).sample(40_000, seed=1).numpy()
    spread = others.std(0)
    assert np.abs(draws.mean(0) - others.mean(0)).max() < 0.03 * spread.max()
    assert np.allclose(np.cov(draws.T), np.cov(others.T), atol=0.08 * spread.max() ** 2)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_a_fit_starts_near_independent_variables_of_the_given_location_and_scale(name):
    family, location, scale = CONTINUOUS[name], np.array([3.0, -1.0]), np.array([0.1, 5.0])
    start = family.start(location, scale, np.random.default_rng(0))
    draws = draws_of(family, {key: tf.constant(value) for key, value in start.items()}, 2, 4_096)
    assert (np.abs(draws.mean(0) - location) < 0.05 * scale).all()
    assert draws.std(0) == pytest.approx(scale * (np.sqrt(2) if name == "laplace" else 1.0), rel=0.05)


def test_families_differ_in_whether_they_can_be_correlated():
    correlation = {
        name: abs(np.corrcoef(draws_of(family, parameters_of(family, 2), 2, 1_024).T)[0, 1])
        for name, family in CONTINUOUS.items()
    }
    assert {name for name, value in correlation.items() if value > 0.05} == {"low_rank_normal", "full_normal", "flow"}
