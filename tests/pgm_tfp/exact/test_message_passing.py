"""Posteriors and log weights of many rows at once against enumeration and against forward and backward messages."""

import math
from itertools import chain
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgm_tfp import BayesianNetwork, MarkovNetwork, Potential, Table, catalogue, exact
from pgm_tfp.exact import junction_tree
from pgm_tfp.exact.junction_tree import compiled
from pgm_tfp.exact.message_passing import marginals, propagate
from tests.pgm_tfp.oracles_exact import bayesian_networks, enumerated, forward, long_chain, markov_networks, quickly

networks = st.one_of(bayesian_networks(), markov_networks(), markov_networks(spread=400.0))


@st.composite
def batches(draw):
    """A network, and for some of its variables the likelihoods of each of a few rows, (states, rows)."""
    network, count = draw(networks), draw(st.integers(1, 3))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    seen = draw(st.lists(st.sampled_from(list(network.states)), max_size=4, unique=True))
    kept = {name: random.random((len(network.states[name]), count)) for name in seen}
    return network, {name: value * (value > draw(st.sampled_from([0.0, 0.3]))) for name, value in kept.items()}, count


class Propagated(NamedTuple):
    posteriors: dict
    log_weight: np.ndarray


def propagated(potentials, likelihoods, rows=1):
    """The posterior of each variable, (states, rows), and the log weight of each row."""
    return Propagated(*marginals(potentials, likelihoods, rows))


def log_partition(network):
    return network.log_partition if isinstance(network, MarkovNetwork) else 0.0


@quickly
@given(batches(), st.sampled_from([1, 8, junction_tree.ALL_KEPT]))
def test_every_row_of_a_batch_agrees_with_enumeration(batch, kept):
    network, likelihoods, count = batch
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(junction_tree, "ALL_KEPT", kept)  # a larger tree keeps factors, but for tables up to KEPT
        patch.setattr(junction_tree, "KEPT", kept)
        beliefs = propagated(compiled(network), likelihoods, count)
    for row in range(count):
        evidence = {
            name: dict(zip(network.states[name], values[:, row].tolist(), strict=True))
            for name, values in likelihoods.items()
        }
        truth = enumerated(network, evidence)
        assert beliefs.log_weight[row] == pytest.approx(truth.log_evidence() + log_partition(network), abs=1e-9)
        for name in network.states:
            posterior = beliefs.posteriors[name][:, row]
            if truth.log_evidence() > -math.inf:
                np.testing.assert_allclose(posterior, list(truth.marginal(name).values()), atol=1e-10)


def test_calibrating_leaves_the_clique_potentials_as_they_were():
    network = catalogue.student()
    potentials = compiled(network)
    before = [array.copy() for array in chain(*potentials.factors)]
    marginals(potentials, {"G": np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]])}, 2)
    for now, then in zip(chain(*potentials.factors), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_rows_with_nothing_seen_have_the_prior():
    network = catalogue.student()
    beliefs = propagated(compiled(network), {}, rows=3)
    np.testing.assert_allclose(beliefs.log_weight, 0.0, atol=1e-12)
    assert beliefs.posteriors["G"].shape == (3, 3)
    np.testing.assert_allclose(beliefs.posteriors["I"], [[0.7] * 3, [0.3] * 3])


def test_a_long_chain_agrees_with_forward_and_backward_messages():
    network, evidence = long_chain()
    likelihoods = {name: np.eye(3)[:, [state]] for name, state in evidence.items()}
    beliefs = propagated(compiled(network), likelihoods)
    ahead, behind = forward(network, evidence), forward(network, evidence, backwards=True)
    total = np.logaddexp.reduce(ahead[-1])
    assert beliefs.log_weight[0] == pytest.approx(total, rel=1e-12)
    assert total < -800
    for place in range(0, 1500, 7):
        posterior = np.exp(ahead[place] + behind[place] - total)
        np.testing.assert_allclose(beliefs.posteriors[f"x{place}"][:, 0], posterior, atol=1e-10)


@pytest.mark.parametrize("size", [1e-200, 1e-160, 1e200])
def test_a_clique_whose_potentials_multiply_beyond_float64_holds_logarithms(size):
    network = MarkovNetwork([Potential("AB", [[size, 2 * size], [3 * size, 0.0]])] * 2)
    potentials = compiled(network)
    assert potentials.logarithms
    beliefs = propagated(potentials, {})
    assert beliefs.log_weight[0] == pytest.approx(math.log(14) + 2 * math.log(size), rel=1e-14)
    np.testing.assert_allclose(beliefs.posteriors["A"][:, 0], [5 / 14, 9 / 14], rtol=1e-12)


def test_a_row_that_underflows_takes_no_other_row_with_it():
    rare = 1e-200
    network = BayesianNetwork(
        {
            "A": Table.of_true(0.3),
            "B": Table.of_true([rare, 2 * rare], ["A"]),
            "C": Table.of_true([rare, 3 * rare], ["A"]),
        }
    )
    no, yes, unseen = (np.array([weights]).T for weights in ([1.0, 0.0], [0.0, 1.0], [1.0, 1.0]))
    likelihoods = {"B": np.hstack([yes, no, unseen]), "C": np.hstack([yes, yes, unseen])}
    beliefs = propagated(compiled(network), likelihoods, 3)
    np.testing.assert_allclose(beliefs.posteriors["A"][1], [0.72, 0.9 / 1.6, 0.3], rtol=1e-12)
    expected = [math.log(2.5) + 2 * math.log(rare), math.log(1.6) + math.log(rare), 0.0]
    np.testing.assert_allclose(beliefs.log_weight, expected, rtol=1e-12, atol=1e-12)


def test_potentials_that_exclude_everything_have_no_weight():
    nothing = MarkovNetwork([Potential("AB", [[0.0, 1.0], [0.0, 0.0]]), Potential("B", [1.0, 0.0])])
    with np.errstate(all="raise"):
        beliefs = marginals(compiled(nothing), {})
    assert beliefs.log_weight[0] == -math.inf


@quickly
@given(batches())
def test_the_posterior_of_a_clique_is_that_of_its_variables_jointly(batch):
    network, likelihoods, count = batch
    potentials = compiled(network)
    posteriors = {}
    log_weight = propagate(potentials, likelihoods, count, posteriors.__setitem__)
    assert set(posteriors) == set(range(len(potentials.tree.cliques)))
    for row in np.flatnonzero(log_weight > -np.inf):
        evidence = {
            name: dict(zip(network.states[name], values[:, row].tolist(), strict=True))
            for name, values in likelihoods.items()
        }
        for number, clique in enumerate(potentials.tree.cliques):
            expected = list(exact.joint_marginal(network, clique.variables, evidence).values())
            ours = np.broadcast_to(posteriors[number], (*clique.shape, count))[..., row]
            np.testing.assert_allclose(ours.ravel(), expected, atol=1e-10)
