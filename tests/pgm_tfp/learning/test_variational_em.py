"""The variational bound against the marginal likelihood where sums over all completions give it."""

import logging
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import digamma, gammaln

from common.errors import UserError
from pgm_tfp import BayesianNetwork
from pgm_tfp.catalogue import server_room, student
from pgm_tfp.learning import blanked, fit_dirichlet, fit_em, fit_variational_em
from tests.pgm_tfp.learning.support_learning import arrays, few, furthest, rows_of, x_and_y
from tests.pgm_tfp.oracles_exact import bayesian_networks


def log_marginal_likelihood(network, observations, prior_counts):
    """The sum over all ways to fill the gaps."""
    columns = {name: list(column) for name, column in observations.items()}
    gaps = [(name, at) for name, column in columns.items() for at, state in enumerate(column) if state is None]
    logs = []
    for filling in product(*(network.states[name] for name, _ in gaps)):
        for (name, at), state in zip(gaps, filling, strict=True):
            columns[name][at] = state
        logs.append(fit_dirichlet(network, columns, prior_counts).log_evidence)
    return float(np.logaddexp.reduce(logs))


@pytest.mark.parametrize("prior_counts", [0.1, 1.0])
def test_without_gaps_it_is_exact(prior_counts):
    observations = student().sample(100, seed=1)
    exact = fit_dirichlet(student(), observations, prior_counts)
    fitted = fit_variational_em(student(), observations, prior_counts)
    assert fitted.elbo == pytest.approx(exact.log_evidence, rel=1e-12)
    for variable, concentrations in exact.concentrations.items():
        np.testing.assert_allclose(fitted.concentrations[variable], concentrations, rtol=1e-12)
    assert furthest(fitted.network, exact.mean_network()) < 1e-12
    intervals = fitted.credible_intervals(0.9)
    for variable, expected in exact.credible_intervals(0.9).items():
        np.testing.assert_allclose(intervals[variable], expected, rtol=1e-10)


@pytest.mark.parametrize("prior_counts", [0.2, 1.0, 5.0])
def test_with_gaps_it_is_a_lower_bound_and_close(prior_counts):
    observations = blanked(x_and_y().sample(12, seed=5), 0.3, seed=6)
    assert 6 <= sum(state is None for column in observations.values() for state in column) <= 9
    exact = log_marginal_likelihood(x_and_y(), observations, prior_counts)
    fitted = fit_variational_em(x_and_y(), observations, prior_counts)
    assert exact - 1.0 < fitted.elbo < exact - 1e-3
    assert (fitted.trace < exact).all()


def test_it_ends_where_a_numerical_optimiser_of_the_bound_does():
    observations = blanked(x_and_y().sample(40, seed=2), 0.3, seed=2)
    rows = [(row.get("X"), row.get("Y")) for row in rows_of(observations)]
    names = x_and_y().states["Y"]

    def expected_log(c):
        return digamma(c) - digamma(c.sum(-1, keepdims=True))

    def divergence(c):  # from the flat Dirichlet
        log_density = gammaln(c.sum(-1)) - gammaln(c).sum(-1) + ((c - 1) * expected_log(c)).sum(-1)
        return (log_density - gammaln(c.shape[-1])).sum()

    def bound(free):
        c_x, c_y = np.exp(free[:2]), np.exp(free[2:].reshape(2, 3))
        joint = expected_log(c_x)[:, np.newaxis] + expected_log(c_y)
        total = -divergence(c_x) - divergence(c_y)
        for x, y in rows:
            cells = joint[slice(None) if x is None else [int(x)]][:, slice(None) if y is None else [names.index(y)]]
            total += np.log(np.exp(cells).sum())
        return total

    best = minimize(lambda free: -bound(free), np.ones(8), method="BFGS", options={"gtol": 1e-6})
    fitted = fit_variational_em(x_and_y(), observations, tolerance=1e-12)
    assert fitted.elbo == pytest.approx(-best.fun, abs=1e-7)
    np.testing.assert_allclose(fitted.concentrations["Y"].ravel(), np.exp(best.x[2:]), rtol=1e-4)


@few
@given(
    bayesian_networks(), st.integers(0, 99), st.sampled_from([0.05, 1.0]), st.sampled_from([0.1, 0.5]), st.booleans()
)
def test_no_iteration_lowers_the_bound(network, seed, prior_counts, share, anything_hidden):
    hidden = list(network.conditionals)[:1] if anything_hidden else []
    observations = blanked(network.sample(30, seed), share, seed, hidden)
    settings = {"restarts": 2, "tolerance": 0.0, "most_iterations": 25}
    fitted = fit_variational_em(network, observations, prior_counts, seed, **settings)
    assert (np.diff(fitted.trace) >= -1e-9).all()
    assert fitted.elbo == fitted.trace[-1]
    assert fitted.iterations == len(fitted.trace) - 1 <= 25


@few
@given(bayesian_networks(most=3), st.integers(0, 99))
def test_the_bound_is_below_the_marginal_likelihood_of_any_small_network(network, seed):
    observations = blanked(network.sample(4, seed), 0.4, seed)
    if sum(state is None for column in observations.values() for state in column) <= 6:
        fitted = fit_variational_em(network, observations, seed=seed, restarts=1, most_iterations=20)
        assert fitted.elbo <= log_marginal_likelihood(network, observations, 1.0) + 1e-9


def test_concentrations_hold_the_prior_and_every_row():
    observations = blanked(student().sample(90, seed=1), 0.3, hidden=["I"])
    fitted = fit_variational_em(student(), observations, prior_counts=0.5, most_iterations=10)
    for variable, c in fitted.concentrations.items():
        assert c.sum() == pytest.approx(90 + 0.5 * c.size)
        np.testing.assert_allclose(arrays(fitted.network)[variable], c / c.sum(-1, keepdims=True))


def test_many_rows_leave_little_between_it_and_em():
    gaps = blanked(x_and_y().sample(5000, seed=1), 0.3)
    assert furthest(fit_variational_em(x_and_y(), gaps).network, fit_em(x_and_y(), gaps).network) < 2e-3


def test_a_leaf_never_seen_keeps_its_prior_and_the_bound_does_not_know_it():
    rows = server_room().sample(100, seed=1)
    seen = {name: rows[name] for name in "OAS"}
    fitted = fit_variational_em(server_room(), seen, prior_counts=2.0)
    np.testing.assert_array_equal(fitted.concentrations["T"], 2.0)
    np.testing.assert_array_equal(fitted.concentrations["M"], 2.0)
    alone = BayesianNetwork({name: server_room().table(name) for name in "OAS"})
    assert fitted.elbo == pytest.approx(fit_dirichlet(alone, seen, 2.0).log_evidence, rel=1e-12)


def test_the_best_of_several_starts_is_kept_and_seeds_repeat(caplog):
    observations = blanked(student().sample(100, seed=1), 0.0, hidden=["I", "G"])
    with caplog.at_level(logging.WARNING, "pgm_tfp"):
        fits = [
            fit_variational_em(student(), observations, seed=seed, restarts=4, most_iterations=30, tolerance=0.0)
            for seed in (0, 0, 1)
        ]
    assert "raise most_iterations" in caplog.text
    for fitted in fits:
        assert fitted.elbo == fitted.restarts.max()
        assert not fitted.converged
    np.testing.assert_array_equal(fits[0].restarts, fits[1].restarts)
    assert (fits[0].restarts != fits[2].restarts).all()
    assert np.ptp(fits[0].restarts) > 1e-3


@pytest.mark.parametrize("prior_counts", [0.0, 0.005, -1.0])
def test_the_prior_must_leave_its_expected_logarithms_within_range(prior_counts):
    with pytest.raises(UserError, match=r"prior_counts must be 0\.01 or more here"):
        fit_variational_em(x_and_y(), {"X": [True]}, prior_counts)


def test_the_smallest_prior_works():
    fitted = fit_variational_em(student(), blanked(student().sample(50, seed=1), 0.3), prior_counts=0.01)
    assert np.isfinite(fitted.trace).all()
