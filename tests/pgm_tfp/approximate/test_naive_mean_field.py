"""Mean field by factors: against the definition of the ELBO, the enumerated fit, and what it represents exactly."""

import math

import numpy as np
import pytest
from hypothesis import assume, given

from common.errors import UserError
from pgm_tfp import BayesianNetwork, MarkovNetwork, Potential, Table, catalogue, exact
from pgm_tfp.approximate import mean_field
from pgm_tfp.approximate.approximation import LOG_ZERO
from pgm_tfp.results import Result
from pgm_tfp.variational import fit
from tests.pgm_tfp.oracles_exact import bayesian_networks, enumerated, markov_networks, questions, quickly


@quickly
@given(questions())
def test_the_elbo_is_that_of_the_marginals_and_bounds_the_evidence(question):
    network, evidence = question
    joint = enumerated(network, evidence)
    try:
        found = mean_field(network, evidence, starts=2)
    except UserError:
        weights = [values for potential in network.potentials() for values in potential.values.flat]
        weights += [value for finding in evidence.values() if isinstance(finding, dict) for value in finding.values()]
        assert min(weights) == 0.0
        return
    elbo = 0.0
    for states, weight in joint.logs.items():
        q = math.prod(found.marginals[name][state] for name, state in zip(joint.variables, states, strict=True))
        if q > 1e-300:
            elbo += q * (max(weight, LOG_ZERO) - math.log(q))
    assert found.elbo == pytest.approx(elbo, abs=1e-6)
    assert found.elbo <= joint.log_evidence() + 1e-9
    assert found.log_evidence.kind == "bounded"
    for marginal in found.marginals.values():
        assert sum(marginal.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("evidence", [{}, {"M": True}, {"M": True, "S": False}], ids=str)
def test_it_finds_the_maximum_of_the_enumerated_fit(evidence):
    room = catalogue.server_room()
    found, known = mean_field(room, evidence), fit(room, evidence)
    assert isinstance(found, Result)
    assert found.converged
    assert found.elbo == pytest.approx(known.elbo, abs=1e-6)
    for variable in known.target.discrete:
        assert found.marginal(variable)[True] == pytest.approx(known.marginal(variable)[True], abs=1e-4)


@quickly
@given(bayesian_networks(share_of_zeros=(0.0,)))
def test_independent_variables_are_represented_exactly(network):
    tables = {
        name: Table(table.probabilities.reshape(-1, len(table.states))[0], states=table.states)
        for name, table in network.conditionals.items()
    }
    apart = BayesianNetwork(tables)
    found = mean_field(apart)
    assert found.converged
    assert found.elbo == pytest.approx(0.0, abs=1e-9)
    for name, table in tables.items():
        np.testing.assert_allclose([*found.marginals[name].values()], table.probabilities, atol=1e-9)


@quickly
@given(markov_networks())
def test_the_elbo_of_a_markov_network_counts_its_normaliser(network):
    assume(all(potential.values.min() > 0 for potential in network.potentials()))
    scaled = [Potential(potential.variables, 7.0 * potential.values) for potential in network.potentials()]
    one, other = mean_field(network), mean_field(MarkovNetwork(scaled, network.states))
    assert one.elbo <= 1e-9
    assert other.elbo == pytest.approx(one.elbo, abs=1e-9)


def test_a_start_that_gives_mass_to_impossible_states_is_left():
    # x and y are always equal, so q has to decide for one of two states.
    equal = BayesianNetwork({"x": Table.of_true(0.3), "y": Table.of_true([0.0, 1.0], parents=["x"])})
    found = mean_field(equal)
    assert found.elbo == pytest.approx(math.log(0.7), abs=1e-6)
    assert found.marginals["x"][False] == pytest.approx(1.0)


@pytest.mark.parametrize("scale", [1e-200, 1e-3, 1e200])
def test_the_scale_of_the_weights_does_not_matter(scale):
    chain = [(f"x{number}", f"x{number + 1}") for number in range(300)]
    found = mean_field(MarkovNetwork({pair: scale * (1.0 + 0.1 * np.eye(2)) for pair in chain}), starts=2)
    assert found.converged
    assert found.elbo == pytest.approx(0.0, abs=0.5)
    coins = BayesianNetwork({f"x{number}": Table.of_true(0.5) for number in range(1_600)})
    seen = dict.fromkeys(coins.graph, True)
    assert mean_field(coins, seen, starts=2).elbo == pytest.approx(1_600 * math.log(0.5))


def test_impossible_evidence_is_refused():
    equal = BayesianNetwork({"x": Table.of_true(0.3), "y": Table.of_true([0.0, 1.0], parents=["x"])})
    with pytest.raises(UserError):
        mean_field(equal, {"x": True, "y": False})
    with pytest.raises(UserError):
        mean_field(equal, starts=0)
    with pytest.raises(UserError):
        mean_field(catalogue.server_room_thermal())


def test_a_network_too_large_for_exact_inference_has_an_answer():
    side, random = 15, np.random.default_rng(0)
    pairs = [
        ((f"{i},{j}"), (f"{i + a},{j + b}")) for i in range(side) for j in range(side) for a, b in ((0, 1), (1, 0))
    ]
    inside = {f"{i},{j}" for i in range(side) for j in range(side)}
    potentials = {
        pair: np.exp(0.3 * random.normal() * np.array([[1, -1], [-1, 1]])) for pair in pairs if pair[1] in inside
    }
    grid = MarkovNetwork(potentials)
    exact.set_memory_limit(10**5)
    try:
        found = mean_field(grid, {"0,0": True}, starts=1)
    finally:
        exact.set_memory_limit(None)
    assert not found.bounds_evidence
    assert found.log_evidence.kind == "unknown"
    assert found.marginals["0,0"] == {False: 0.0, True: 1.0}
