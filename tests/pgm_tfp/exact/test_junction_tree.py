import gc
import math
import weakref

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgm_tfp import BayesianNetwork, MarkovNetwork, Potential, Table, catalogue
from pgm_tfp.exact.junction_tree import calibrated, compiled
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


def log_partition(network):
    return network.log_partition if isinstance(network, MarkovNetwork) else 0.0


@quickly
@given(batches())
def test_every_row_of_a_batch_agrees_with_enumeration(batch):
    network, likelihoods, count = batch
    beliefs = calibrated(compiled(network), likelihoods, count)
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


@quickly
@given(networks)
def test_tables_are_scaled_to_a_largest_entry_of_one_and_the_scale_is_kept(network):
    tree = compiled(network)
    logs = [clique.table[..., 0] if tree.logarithms else _log(clique.table[..., 0]) for clique in tree.cliques]
    assert all(table.max() == 0.0 for table in logs)
    assert tree.cells == sum(table.size for table in logs)
    weight = calibrated(tree, {}).log_weight
    np.testing.assert_allclose(weight, [log_partition(network)], atol=1e-9)


def _log(values):
    with np.errstate(divide="ignore"):
        return np.log(values)


@quickly
@given(networks)
def test_children_stand_before_their_parents_and_every_variable_has_a_smallest_home(network):
    tree = compiled(network)
    for index, clique in enumerate(tree.cliques):
        assert clique.parent is None or clique.parent > index
    parts = nx.number_connected_components(nx.Graph(network.graph))
    assert sum(clique.parent is None for clique in tree.cliques) == parts
    assert set(tree.homes) == set(network.states)
    for name, home in tree.homes.items():
        assert tree.cliques[home.clique].table.shape[home.axis] == len(network.states[name])


def test_a_chain_is_compiled_into_its_pairs():
    network, _ = long_chain(40)
    tree = compiled(network)
    assert len(tree.cliques) == 39
    assert tree.cells == 39 * 9
    assert not tree.logarithms


def test_a_variable_lives_in_its_smallest_clique():
    chain = [Potential("CA", np.ones((10, 2))), Potential("AB", np.ones((2, 2))), Potential("BD", np.ones((2, 10)))]
    tree = compiled(MarkovNetwork(chain))
    assert [tree.cliques[tree.homes[name].clique].table.size for name in "CABD"] == [20, 4, 4, 20]


def test_a_tree_is_built_once_and_goes_with_its_network():
    network = catalogue.student()
    tree = compiled(network)
    assert compiled(network) is tree
    assert compiled(catalogue.student()) is not tree
    gone = weakref.ref(network)
    del network
    gc.collect()
    assert gone() is None


def test_calibrating_leaves_the_tree_as_it_was():
    network = catalogue.student()
    tree = compiled(network)
    before = [clique.table.copy() for clique in tree.cliques]
    calibrated(tree, {"G": np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]])}, 2)
    for clique, table in zip(tree.cliques, before, strict=True):
        np.testing.assert_array_equal(clique.table, table)


def test_rows_with_nothing_seen_have_the_prior():
    network = catalogue.student()
    beliefs = calibrated(compiled(network), {}, rows=3)
    np.testing.assert_allclose(beliefs.log_weight, 0.0, atol=1e-12)
    assert beliefs.posteriors["G"].shape == (3, 3)
    np.testing.assert_allclose(beliefs.posteriors["I"], [[0.7] * 3, [0.3] * 3])


def test_a_long_chain_agrees_with_forward_and_backward_messages():
    network, evidence = long_chain()
    likelihoods = {name: np.eye(3)[:, [state]] for name, state in evidence.items()}
    beliefs = calibrated(compiled(network), likelihoods)
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
    tree = compiled(network)
    assert tree.logarithms
    beliefs = calibrated(tree, {})
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
    beliefs = calibrated(compiled(network), likelihoods, 3)
    np.testing.assert_allclose(beliefs.posteriors["A"][1], [0.72, 0.9 / 1.6, 0.3], rtol=1e-12)
    expected = [math.log(2.5) + 2 * math.log(rare), math.log(1.6) + math.log(rare), 0.0]
    np.testing.assert_allclose(beliefs.log_weight, expected, rtol=1e-12, atol=1e-12)


def test_potentials_that_exclude_everything_have_no_weight():
    nothing = MarkovNetwork([Potential("AB", [[0.0, 1.0], [0.0, 0.0]]), Potential("B", [1.0, 0.0])])
    with np.errstate(all="raise"):
        beliefs = calibrated(compiled(nothing), {})
    assert beliefs.log_weight[0] == -math.inf
