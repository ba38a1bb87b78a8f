"""EM against counting, pgmpy's EM, a numerical optimiser, and what was in the rows before cells were taken out."""

import logging

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import log_softmax, xlogy

from common.errors import UserError
from pgm_tfp import BayesianNetwork, Conditional, Table, exact
from pgm_tfp.catalogue import server_room, student
from pgm_tfp.learning import blanked, fit_dirichlet, fit_em, predictive_log_likelihood
from pgm_tfp.learning.family_arrays import random_probabilities, with_probabilities
from tests.pgm_tfp.learning.support_learning import arrays, few, furthest, rows_of, x_and_y
from tests.pgm_tfp.oracles_exact import bayesian_networks


@pytest.mark.parametrize("prior_counts", [0.5, 2.0])
def test_without_gaps_one_iteration_counts(prior_counts):
    observations = student().sample(100, seed=1)
    fitted = fit_em(student(), observations, prior_counts)
    assert furthest(fitted.network, fit_dirichlet(student(), observations, prior_counts).mean_network()) < 1e-12
    assert fitted.iterations == 2  # the second finds nothing left to do
    assert fitted.trace[1] == pytest.approx(fitted.trace[2], rel=1e-14)


def test_without_prior_counts_tables_are_relative_frequencies_and_a_row_never_reached_is_uniform():
    network = x_and_y()
    observations = {"X": [True, True, True, True], "Y": ["low", "low", "high", None]}
    fitted = fit_em(network, observations, prior_counts=0.0, tolerance=0.0).network
    np.testing.assert_allclose(fitted.table("X").probabilities, [0, 1])
    np.testing.assert_allclose(fitted.table("Y").probabilities, [[1 / 3] * 3, [2 / 3, 0, 1 / 3]], atol=1e-7)


@few
@given(
    bayesian_networks(),
    st.integers(0, 99),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.sampled_from([0.1, 0.5]),
    st.booleans(),
)
def test_no_iteration_lowers_the_objective(network, seed, prior_counts, share, anything_hidden):
    hidden = list(network.conditionals)[:1] if anything_hidden else []
    observations = blanked(network.sample(30, seed), share, seed, hidden)
    fitted = fit_em(network, observations, prior_counts, seed, restarts=2, tolerance=0.0, most_iterations=25)
    assert (np.diff(fitted.trace) >= -1e-9).all()
    assert fitted.iterations == len(fitted.trace) - 1 <= 25


def test_the_objective_is_the_log_likelihood_and_the_log_prior_of_the_tables_returned():
    observations = blanked(student().sample(60, seed=2), 0.4, hidden=["I"])
    fitted = fit_em(student(), observations, prior_counts=0.7, most_iterations=5, tolerance=0.0)
    log_likelihood = sum(exact.log_evidence(fitted.network, row) for row in rows_of(observations))
    log_prior = sum(xlogy(0.7, table).sum() for table in arrays(fitted.network).values())
    assert fitted.log_likelihood == pytest.approx(log_likelihood, rel=1e-12)
    assert fitted.trace[-1] == pytest.approx(log_likelihood + log_prior, rel=1e-12)


@pytest.mark.parametrize("prior_counts", [0.0, 1.5])
def test_it_ends_where_a_numerical_optimiser_does(prior_counts):
    network = x_and_y()
    observations = blanked(network.sample(120, seed=7), 0.4, seed=3)
    rows = [(row.get("X"), row.get("Y")) for row in rows_of(observations)]
    names = network.states["Y"]

    def objective(logits):
        log_x, log_y = log_softmax(logits[:2]), log_softmax(logits[2:].reshape(2, 3), -1)
        joint = log_x[:, np.newaxis] + log_y
        total = prior_counts * (log_x.sum() + log_y.sum())
        for x, y in rows:
            cells = joint[slice(None) if x is None else [int(x)]][:, slice(None) if y is None else [names.index(y)]]
            total += np.log(np.exp(cells).sum())
        return -total

    best = minimize(objective, np.zeros(8), method="BFGS", options={"gtol": 1e-6})
    fitted = fit_em(network, observations, prior_counts, tolerance=1e-13)
    assert fitted.trace[-1] == pytest.approx(-best.fun, abs=1e-7)
    np.testing.assert_allclose(arrays(fitted.network)["X"], np.exp(log_softmax(best.x[:2])), atol=1e-4)
    np.testing.assert_allclose(
        arrays(fitted.network)["Y"], np.exp(log_softmax(best.x[2:].reshape(2, 3), -1)), atol=1e-4
    )


@pytest.mark.parametrize("iterations", [1, 4])
def test_from_the_same_start_each_iteration_is_that_of_pgmpy(iterations):
    from pgmpy.parameter_estimator import DiscreteEM

    # pgmpy calls a latent variable's states 0, 1, ...
    room = BayesianNetwork(
        {name: Table(table.probabilities, table.parents, (0, 1)) for name, table in server_room().conditionals.items()}
    )
    observations = room.sample(400, seed=1)
    del observations["T"]
    start = with_probabilities(room, random_probabilities(room, np.random.default_rng([9, 0])))  # fit_em's first
    theirs = room.to_pgmpy()
    theirs.latents = {"T"}
    cpds = {cpd.variable: cpd for cpd in start.to_pgmpy().cpds}
    estimator = DiscreteEM(max_iter=iterations, init_cpds=cpds, show_progress=False)
    theirs.cpds = estimator.fit(theirs, pd.DataFrame(observations)).parameters_
    settings = {"prior_counts": 0.0, "seed": 9, "restarts": 1, "tolerance": 0.0, "most_iterations": iterations}
    ours = fit_em(room, observations, **settings)
    assert furthest(ours.network, BayesianNetwork.from_pgmpy(theirs)) < 1e-6  # pgmpy floors probabilities at 1e-10


def test_cells_missing_at_random_bias_complete_rows_but_not_em():
    """Y is missing nine times in ten where X is true: of the complete rows, few have X true."""
    truth = x_and_y()
    rows = truth.sample(4000, seed=3)
    gone = np.random.default_rng(4).random(4000) < np.where(rows["X"], 0.9, 0.1)
    gaps = {"X": list(rows["X"]), "Y": [None if g else y for g, y in zip(gone, rows["Y"], strict=True)]}
    complete = {name: column[~gone] for name, column in rows.items()}
    by_em = fit_em(truth, gaps).network
    of_complete = fit_dirichlet(truth, complete).mean_network()
    assert of_complete.table("X").probabilities[1] < 0.15
    assert by_em.table("X").probabilities[1] == pytest.approx(0.4, abs=4 * np.sqrt(0.24 / 4000))
    assert furthest(by_em, truth) < 0.08


def test_em_recovers_more_than_the_complete_rows_do():
    truth = student()
    gaps = blanked(truth.sample(1500, seed=1), 0.4, seed=2)
    full = [at for at in range(1500) if all(column[at] is not None for column in gaps.values())]
    complete = {name: [column[at] for at in full] for name, column in gaps.items()}
    assert 0 < len(full) < 200
    held_out = truth.sample(5000, seed=3)
    by_em = predictive_log_likelihood(fit_em(truth, gaps).network, held_out)
    of_complete = predictive_log_likelihood(fit_dirichlet(truth, complete).mean_network(), held_out)
    best = predictive_log_likelihood(truth, held_out)
    assert best - by_em < 0.4 * (best - of_complete)


@pytest.fixture(scope="module")
def without_t():
    """EM on the server room where nobody ever reads the temperature."""
    return fit_em(server_room(), blanked(server_room().sample(3000, seed=1), 0.0, hidden=["T"]), seed=2)


@pytest.fixture(scope="module")
def held_out():
    """Rows of what is seen."""
    rows = server_room().sample(20_000, seed=8)
    del rows["T"]
    return rows


def test_with_a_hidden_variable_held_out_rows_are_foreseen_as_by_the_truth(without_t, held_out):
    # Eight free numbers are decided (O, A, two of S, four of M given O and A): about 8 / (2 x 3000) nats a row.
    fitted, truth = (predictive_log_likelihood(network, held_out) for network in (without_t.network, server_room()))
    assert truth - 3 * 8 / 6000 < fitted < truth + 1e-3
    assert without_t.converged


def test_renaming_a_hidden_variables_states_changes_no_likelihood(without_t, held_out):
    tables = arrays(without_t.network)
    renamed = with_probabilities(without_t.network, {**tables, "T": tables["T"][..., ::-1], "M": tables["M"][::-1]})
    assert furthest(renamed, without_t.network) > 0.1
    fitted, other = (predictive_log_likelihood(network, held_out) for network in (without_t.network, renamed))
    assert other == pytest.approx(fitted, rel=1e-13)


def test_starts_end_apart_the_best_is_kept_and_seeds_repeat():
    observations = blanked(student().sample(100, seed=1), 0.0, hidden=["I", "G"])
    fits = [fit_em(student(), observations, seed=seed, restarts=4, tolerance=1e-6) for seed in (0, 0, 1)]
    for fitted in fits:
        assert fitted.restarts.shape == (4,)
        assert fitted.trace[-1] == fitted.restarts.max()
    np.testing.assert_array_equal(fits[0].restarts, fits[1].restarts)
    assert furthest(fits[0].network, fits[1].network) == 0.0
    assert np.ptp(fits[0].restarts) > 1e-3
    assert (fits[0].restarts != fits[2].restarts).all()


def test_a_leaf_never_seen_keeps_what_the_prior_makes_it():
    observations = blanked(server_room().sample(200, seed=1), 0.0, hidden=["M"])
    fitted = fit_em(server_room(), observations)
    np.testing.assert_array_equal(fitted.network.table("M").probabilities, 0.5)
    assert fitted.iterations == 2
    others = fit_dirichlet(server_room(), server_room().sample(200, seed=1)).mean_network()
    assert furthest(with_probabilities(others, {**arrays(others), "M": np.full((2, 2), 0.5)}), fitted.network) < 1e-12


def test_blank_rows_teach_nothing():
    fitted = fit_em(server_room(), {"O": [None, None]})
    assert fitted.log_likelihood == 0.0
    assert all((table == 0.5).all() for table in arrays(fitted.network).values())


def test_a_missing_column_is_one_that_was_never_seen():
    rows = server_room().sample(50, seed=1)
    fits = [
        fit_em(server_room(), table, most_iterations=3, tolerance=0.0)
        for table in (blanked(rows, 0.0, hidden=["T"]), {name: rows[name] for name in "OAMS"})
    ]
    assert furthest(fits[0].network, fits[1].network) < 1e-13


def test_stopping_early_is_logged_with_the_remedy_and_converging_is_not(caplog):
    observations = blanked(server_room().sample(100, seed=1), 0.0, hidden=["T"])
    with caplog.at_level(logging.WARNING, "pgm_tfp"):
        fitted = fit_em(server_room(), observations, restarts=2, most_iterations=3)
    assert (fitted.converged, fitted.iterations) == (False, 3)
    (record,) = caplog.records
    assert record.getMessage().startswith(
        "2 of 2 starts had not converged after 3 iterations, the best among them; raise most_iterations, or tolerance"
    )
    caplog.clear()
    with caplog.at_level(logging.WARNING, "pgm_tfp"):
        assert fit_em(server_room(), observations, restarts=2, tolerance=1e-6).converged
    assert not caplog.records


def test_a_looser_tolerance_stops_sooner():
    observations = blanked(server_room().sample(300, seed=1), 0.0, hidden=["T"])
    loose, tight = (fit_em(server_room(), observations, restarts=1, tolerance=each) for each in (1e-4, 1e-7))
    assert loose.iterations < tight.iterations
    for fitted, tolerance in ((loose, 1e-4), (tight, 1e-7)):
        rises = np.diff(fitted.trace) / np.abs(fitted.trace[1:])
        assert rises[-1] <= tolerance < rises[:-1].min()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prior_counts": -1.0}, "prior_counts must be zero or more, given -1.0"),
        ({"restarts": 0}, "restarts and most_iterations must be one or more, given 0 and 1000"),
        ({"most_iterations": 0}, "restarts and most_iterations must be one or more, given 5 and 0"),
        ({"tolerance": -1.0}, "tolerance must be zero or more, given -1.0"),
    ],
)
def test_settings_that_make_no_sense_are_named(settings, message):
    with pytest.raises(UserError) as error:
        fit_em(x_and_y(), {"X": [True]}, **settings)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("observations", "message"),
    [
        ({"Z": [1]}, "unknown variable Z; known: X, Y"),
        ({"X": [True, "perhaps"]}, "row 1: X has no state perhaps"),
        ({"X": [True], "Y": []}, "columns must be equally long"),
        ({}, "columns must be equally long, one at least"),
        ({"X": []}, "the observations have no rows"),
    ],
)
def test_what_cannot_be_read_is_named(observations, message):
    with pytest.raises(UserError, match=message):
        fit_em(x_and_y(), observations)


def test_a_density_has_no_table_to_learn():
    mixed = BayesianNetwork({"X": Table.of_true(0.5), "Y": Conditional(lambda x: x, ("X",))})
    with pytest.raises(UserError, match="Y has no table"):
        fit_em(mixed, {"X": [True]})
