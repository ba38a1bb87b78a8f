"""Variational inference against the closed form that it must find."""

import logging

import numpy as np
import pytest

from common.errors import UserError
from pgm_tfp.catalogue import server_room, student
from pgm_tfp.learning import fit_dirichlet, fit_variational_dirichlet, variational_dirichlet
from pgm_tfp.learning.dirichlet import kl
from tests.pgm_tfp.learning.support_learning import x_and_y


@pytest.mark.parametrize(
    ("network", "rows", "prior_counts"), [(server_room(), 1000, 1.0), (student(), 200, 0.3), (x_and_y(), 7, 4.0)]
)
def test_the_elbo_reaches_the_log_marginal_likelihood_and_the_surrogate_the_posterior(network, rows, prior_counts):
    observations = network.sample(rows, seed=2)
    exact = fit_dirichlet(network, observations, prior_counts)
    found = fit_variational_dirichlet(network, observations, prior_counts)
    assert abs(exact.log_evidence - found.elbo) < 1e-6
    for variable, concentrations in exact.concentrations.items():
        np.testing.assert_allclose(found.concentrations[variable], concentrations, rtol=1e-4)


def test_many_rows_take_no_more_steps():
    observations = student().sample(100_000, seed=2)
    found = fit_variational_dirichlet(student(), observations)
    # Where the gradient is below its tolerance, processors differ in the eleventh digit of the ELBO.
    exact = fit_dirichlet(student(), observations).log_evidence
    assert found.elbo == pytest.approx(exact, rel=2e-11)
    assert len(found.trace) < 150


def test_the_elbo_rises_from_that_of_the_prior_and_stays_a_lower_bound():
    network = student()
    observations = network.sample(200, seed=4)
    exact = fit_dirichlet(network, observations)
    found = fit_variational_dirichlet(network, observations)
    # With the flat prior as surrogate there is no divergence: E[log theta] = -(1 + 1/2 + ... + 1/(k - 1)).
    harmonic = {2: 1.0, 3: 1.5}
    at_prior = -200 * sum(harmonic[len(states)] for states in network.states.values())
    assert found.trace[0] == pytest.approx(at_prior, rel=1e-12)
    assert (np.diff(found.trace) > -1e-9).all()
    assert found.trace[-1] == found.elbo
    assert (found.trace <= exact.log_evidence + 1e-6).all()
    assert len(found.trace) > 5


def test_without_rows_the_surrogate_is_the_prior():
    found = fit_variational_dirichlet(x_and_y(), {"X": [], "Y": []}, prior_counts=2.0)
    assert found.elbo == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(found.concentrations["Y"], np.full((2, 3), 2.0), rtol=1e-6)


def test_the_divergence_in_closed_form_is_that_of_tensorflow_probability():
    from tensorflow_probability import distributions as tfd

    random = np.random.default_rng(0)
    posterior, prior = random.uniform(0.1, 20.0, (2, 4, 3))
    expected = tfd.kl_divergence(tfd.Dirichlet(posterior), tfd.Dirichlet(prior)).numpy().sum()
    assert kl(posterior, prior) == pytest.approx(expected, rel=1e-12)


def test_stopping_early_is_logged(monkeypatch, caplog):
    observations = student().sample(50)
    with caplog.at_level(logging.WARNING, "pgm_tfp"):
        assert fit_variational_dirichlet(student(), observations).converged
        assert not caplog.records
        monkeypatch.setattr(variational_dirichlet, "MOST_ITERATIONS", 3)
        stopped = fit_variational_dirichlet(student(), observations)
        assert len(stopped.trace) == 4
        assert not stopped.converged
    (record,) = caplog.records
    assert record.getMessage().startswith("the ELBO had not converged after 3 iterations")


def test_gaps_are_refused_as_in_counting():
    with pytest.raises(UserError, match="row 0: X was not seen"):
        fit_variational_dirichlet(x_and_y(), {"X": [None], "Y": ["low"]})
