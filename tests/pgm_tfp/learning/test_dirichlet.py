"""Counting against counting by hand, the closed forms against chain rule, sampling and pgmpy."""

from collections import Counter
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from pgm_tfp import BayesianNetwork, Table
from pgm_tfp.catalogue import server_room, student
from pgm_tfp.learning import count, fit_dirichlet
from tests.pgm_tfp.learning.support_learning import arrays, few, furthest, rows_of, x_and_y
from tests.pgm_tfp.oracles_exact import bayesian_networks

SEEN = {"Y": ["low", "high", "high", "low", "middle"], "X": [True, False, True, True, False]}


def test_counts_are_those_made_by_hand():
    counts = count(x_and_y(), SEEN)
    np.testing.assert_array_equal(counts["X"], [2, 3])
    np.testing.assert_array_equal(counts["Y"], [[0, 1, 1], [2, 0, 1]])


@few
@given(bayesian_networks(), st.integers(0, 99))
def test_counts_are_those_of_a_loop_over_rows(network, seed):
    observations = network.sample(20, seed)
    counts = count(network, observations)
    for variable in network.conditionals:
        family = (*network.table(variable).parents, variable)
        tally = Counter(tuple(row[member] for member in family) for row in rows_of(observations))
        cells = product(*(network.states[member] for member in family))
        assert counts[variable].ravel().tolist() == [tally[cell] for cell in cells]


def test_nothing_seen_leaves_the_prior():
    posterior = fit_dirichlet(x_and_y(), {"X": [], "Y": []}, prior_counts=2.5)
    assert posterior.log_evidence == 0.0
    np.testing.assert_array_equal(posterior.concentrations["Y"], np.full((2, 3), 2.5))
    np.testing.assert_allclose(posterior.mean_network().table("Y").probabilities, 1 / 3)


def test_mean_tables_by_hand_keep_the_names_of_states():
    network = fit_dirichlet(x_and_y(), SEEN, prior_counts=0.5).mean_network()
    np.testing.assert_allclose(network.table("X").probabilities, [2.5 / 6, 3.5 / 6])
    np.testing.assert_allclose(network.table("Y").probabilities[1], [2.5 / 4.5, 0.5 / 4.5, 1.5 / 4.5])
    assert network.states == x_and_y().states


@pytest.mark.parametrize("prior_counts", [1, 0.25])
def test_mean_tables_are_those_of_pgmpy(prior_counts):
    from pgmpy.parameter_estimator import DiscreteBayesianEstimator

    network = student()
    observations = network.sample(300, seed=3)
    names = {variable: list(states) for variable, states in network.states.items()}
    estimator = DiscreteBayesianEstimator(state_names=names, prior_type="dirichlet", pseudo_counts=prior_counts)
    model = network.to_pgmpy()
    model.cpds = estimator.fit(model, pd.DataFrame(observations)).parameters_
    ours = fit_dirichlet(network, observations, prior_counts).mean_network()
    assert furthest(ours, BayesianNetwork.from_pgmpy(model)) < 1e-12


@few
@given(bayesian_networks(), st.integers(0, 99), st.sampled_from([0.1, 1.0, 7.0]))
def test_the_marginal_likelihood_is_the_product_of_each_rows_prediction_from_those_before(network, seed, prior_counts):
    observations = network.sample(6, seed)
    total = 0.0
    for at, row in enumerate(rows_of(observations)):
        before = {name: column[:at] for name, column in observations.items()}
        total += fit_dirichlet(network, before, prior_counts).mean_network().log_prob(row)
    assert fit_dirichlet(network, observations, prior_counts).log_evidence == pytest.approx(total, abs=1e-10)


def test_the_posterior_concentrates_on_the_truth():
    truth = server_room()
    posterior = fit_dirichlet(truth, truth.sample(20_000, seed=5))
    means = arrays(posterior.mean_network())
    for variable, c in posterior.concentrations.items():
        mean = means[variable]
        deviation = np.sqrt(mean * (1 - mean) / (c.sum(-1, keepdims=True) + 1))
        assert (np.abs(mean - truth.table(variable).probabilities) < 4 * deviation).all()
        assert deviation.max() < 0.06  # door open, air conditioning broken: one row in five hundred


def test_credible_intervals_hold_the_truth_as_often_as_they_say():
    """Tables drawn from the prior, rows from the tables: then the share of intervals that hold is their mass."""
    mass, repeats = 0.8, 400
    random = np.random.default_rng(0)
    held = {"X": np.zeros(2), "Y": np.zeros((2, 3))}
    for repeat in range(repeats):
        theta = {"X": random.dirichlet([2.0] * 2), "Y": random.dirichlet([2.0] * 3, 2)}
        truth = BayesianNetwork({"X": Table(theta["X"]), "Y": Table(theta["Y"], ("X",), x_and_y().states["Y"])})
        posterior = fit_dirichlet(truth, truth.sample(12, seed=repeat), prior_counts=2.0)
        for variable, (low, high) in posterior.credible_intervals(mass).items():
            held[variable] += (low <= theta[variable]) & (theta[variable] <= high)
    standard_error = np.sqrt(mass * (1 - mass) / repeats)
    for share in (held["X"] / repeats, held["Y"] / repeats):
        assert (np.abs(share - mass) < 4 * standard_error).all()


def test_credible_intervals_leave_equal_tails():
    posterior = fit_dirichlet(x_and_y(), SEEN)
    low, high = posterior.credible_intervals(0.9)["Y"]
    drawn = np.random.default_rng(1).dirichlet(posterior.concentrations["Y"][1], 40_000)
    for tail in ((drawn < low[1]).mean(0), (drawn > high[1]).mean(0)):
        np.testing.assert_allclose(tail, 0.05, atol=4 * np.sqrt(0.05 * 0.95 / 40_000))


def test_the_only_state_of_a_variable_has_probability_one():
    network = BayesianNetwork({"X": Table([1.0], states=("always",))})
    low, high = fit_dirichlet(network, {"X": ["always"]}).credible_intervals()["X"]
    assert (low, high) == ([1.0], [1.0])


@pytest.mark.parametrize(
    ("observations", "message"),
    [
        ({"X": [True]}, "Y has no column; counting needs all variables, fit_em does not"),
        ({"X": [True, None], "Y": ["low", "low"]}, "row 1: X was not seen; counting needs every cell, fit_em does not"),
        ({"X": [True], "Y": ["lowest"]}, "row 0: Y has no state lowest; did you mean low?"),
        ({"X": [True], "Y": []}, "columns must be equally long, one at least; given {'X': 1, 'Y': 0}"),
        ({"X": [True], "Z": [True]}, "unknown variable Z"),
        ({}, "columns must be equally long, one at least"),
    ],
)
def test_what_cannot_be_counted_is_named(observations, message):
    with pytest.raises(UserError) as error:
        count(x_and_y(), observations)
    assert message in str(error.value)


@pytest.mark.parametrize("prior_counts", [0.0, -1.0, float("nan"), float("inf")])
def test_a_prior_must_be_a_density(prior_counts):
    with pytest.raises(UserError, match="prior_counts must be above zero"):
        fit_dirichlet(x_and_y(), SEEN, prior_counts)


@pytest.mark.parametrize("mass", [0.0, 1.0, 95.0])
def test_the_mass_of_an_interval_lies_between_zero_and_one(mass):
    with pytest.raises(UserError, match="must lie between 0 and 1"):
        fit_dirichlet(x_and_y(), SEEN).credible_intervals(mass)
