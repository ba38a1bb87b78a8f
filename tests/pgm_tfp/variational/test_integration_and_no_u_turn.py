"""Three methods for one posterior: scipy's integrals, quadrature, and NUTS."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm

from common.errors import UserError
from pgm_tfp import catalogue
from pgm_tfp.variational import nuts, quadrature, target

EVIDENCE = {"M": True, "S": False, "L": 60.0, "R": 31.0}


@pytest.fixture(scope="module")
def grid():
    return quadrature(target(catalogue.server_room_thermal(), EVIDENCE))


def density(c):
    """p(C, evidence), written out with the numbers of the catalogue's docstring and comments."""
    mixture = 0.0
    for door, p_door, silent in ((0, 0.9, 0.999), (1, 0.1, 0.1)):
        for failure, p_failure in ((0, 0.98), (1, 0.02)):
            mean, spread = [[21.0, 30.0], [26.0, 33.0]][door][failure], [[1.0, 2.5], [2.0, 2.5]][door][failure]
            mixture += p_door * p_failure * silent * norm.pdf(c, mean, spread)
    latency = norm.pdf(60.0, 40.0 + 6.0 * np.logaddexp(0, c - 27.0), 4.0)
    return mixture * norm.pdf(31.0, c, 0.8) * expit((c - 29.0) / 0.7) * latency


def test_the_grid_agrees_with_scipy(grid):
    evidence = quad(density, 15, 45, points=[31], epsabs=1e-16)[0]
    mean = quad(lambda c: c * density(c), 15, 45, points=[31], epsabs=1e-16)[0] / evidence
    square = quad(lambda c: c * c * density(c), 15, 45, points=[31], epsabs=1e-16)[0] / evidence
    assert grid.log_evidence.value == pytest.approx(np.log(evidence), abs=1e-8)
    assert grid.mean()[0] == pytest.approx(mean, abs=1e-8)
    assert grid.std()[0] == pytest.approx(np.sqrt(square - mean**2), abs=1e-6)


def test_the_discrete_posterior_of_the_grid_sums_to_one(grid):
    assert grid.interface.sum() == pytest.approx(1.0)
    assert grid.interface[1] > 0.5  # door shut, air conditioning broken


def test_two_dimensions_leave_the_same_evidence_when_one_is_not_seen():
    network, seen = catalogue.server_room_thermal(), {"M": True, "S": False, "L": 60.0}
    both = quadrature(target(network, seen))
    assert both.columns == ("C", "R")
    # p(seen) = int p(seen, R = r) dr
    readings = np.linspace(23.0, 38.0, 16)
    slices = [np.exp(quadrature(target(network, {**seen, "R": reading})).log_evidence.value) for reading in readings]
    assert both.log_evidence.value == pytest.approx(np.log(np.trapezoid(slices, readings)), abs=1e-5)


def test_nuts_agrees_with_the_grid_within_its_own_error(grid):
    chains = nuts(target(catalogue.server_room_thermal(), EVIDENCE), draws=500, burn_in=300, seed=1)
    assert chains.draws.shape == (500, 4, 1)
    assert chains.r_hat[0] < 1.02
    assert chains.effective_samples[0] > 200
    assert abs(chains.mean()[0] - grid.mean()[0]) < 4 * chains.standard_error()[0]
    assert chains.draws.std() == pytest.approx(grid.std()[0], rel=0.1)
    assert 0.6 < chains.accepted < 1.0


@pytest.mark.parametrize("method", [quadrature, nuts])
def test_a_target_without_continuous_variables_is_refused(method):
    with pytest.raises(UserError, match="continuous"):
        method(target(catalogue.server_room(), {"M": True}))
