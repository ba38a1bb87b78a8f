"""Every family's draws have the density that it claims."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.integrate import cumulative_trapezoid
from scipy.stats import kstest

from pgm_tfp.variational.continuous import FAMILIES, standard_noise


def parameters_of(family, dimensions, seed=0):
    random = np.random.default_rng(seed)
    return [tf.constant(0.5 + 0.3 * random.normal(size=shape)) for shape in family.shapes(dimensions)]


@pytest.mark.parametrize("name", FAMILIES)
def test_draws_along_a_line_have_the_density(name):
    family = FAMILIES[name]
    parameters = parameters_of(family, 1)
    points = np.linspace(-40, 40, 80_001)
    density = family.distribution(*parameters).prob(points[:, None]).numpy()
    cumulative = cumulative_trapezoid(density, points, initial=0)
    assert cumulative[-1] == pytest.approx(1.0, abs=1e-4)
    noise = standard_noise(family, 1, 2_048, seed=0)
    draws = family.draw(*parameters, tf.constant(noise)).numpy()[:, 0]
    # Evenly spread draws lie nearer to their distribution than random ones would.
    assert kstest(draws, lambda at: np.interp(at, points, cumulative)).statistic < 0.01


@pytest.mark.parametrize("name", FAMILIES)
def test_draws_in_the_plane_have_the_moments_of_the_distribution(name):
    family = FAMILIES[name]
    parameters = parameters_of(family, 2)
    draws = family.draw(*parameters, tf.constant(standard_noise(family, 2, 4_096, seed=0))).numpy()
    others = family.distribution(*parameters).sample(40_000, seed=1).numpy()
    spread = others.std(0)
    assert np.abs(draws.mean(0) - others.mean(0)).max() < 0.03 * spread.max()
    assert np.allclose(np.cov(draws.T), np.cov(others.T), atol=0.08 * spread.max() ** 2)


def test_families_differ_in_what_they_can_say():
    correlated = {
        name: abs(
            np.corrcoef(
                family.draw(*parameters_of(family, 2), tf.constant(standard_noise(family, 2, 1_024, seed=0))).numpy().T
            )[0, 1]
        )
        for name, family in FAMILIES.items()
    }
    assert {name for name, value in correlated.items() if value > 0.05} == {"low_rank_normal", "full_normal", "flow"}
