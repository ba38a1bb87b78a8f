"""The compiled tree of a network: its shape, its scale, and how long it is kept."""

import gc
import math
import weakref

import networkx as nx
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pgm_tfp import MarkovNetwork, Potential, catalogue
from pgm_tfp.exact.junction_tree import compiled
from pgm_tfp.exact.message_passing import marginals
from tests.pgm_tfp.oracles_exact import bayesian_networks, long_chain, markov_networks, quickly

networks = st.one_of(bayesian_networks(), markov_networks(), markov_networks(spread=400.0))


def log_partition(network):
    return network.log_partition if isinstance(network, MarkovNetwork) else 0.0


@quickly
@given(networks)
def test_clique_potentials_are_scaled_to_a_largest_entry_of_one_and_the_scale_is_kept(network):
    potentials = compiled(network)
    logs = [array[..., 0] if potentials.logarithms else _log(array[..., 0]) for (array,) in potentials.factors]
    assert all(array.max() == 0.0 for array in logs)
    assert potentials.tree.cells == sum(array.size for array in logs)
    weight = marginals(potentials, {}).log_weight
    np.testing.assert_allclose(weight, [log_partition(network)], atol=1e-9)


def _log(values):
    with np.errstate(divide="ignore"):
        return np.log(values)


@quickly
@given(networks)
def test_children_stand_before_their_parents_and_every_variable_has_a_smallest_home(network):
    tree = compiled(network).tree
    for index, clique in enumerate(tree.cliques):
        assert clique.parent is None or clique.parent > index
    parts = nx.number_connected_components(nx.Graph(network.graph))
    assert sum(clique.parent is None for clique in tree.cliques) == parts
    assert set(tree.homes) == set(network.states)
    for name, home in tree.homes.items():
        assert tree.cliques[home.clique].shape[home.axis] == len(network.states[name])


def test_a_chain_is_compiled_into_its_pairs():
    network, _ = long_chain(40)
    tree, _, _, logarithms = compiled(network)
    assert len(tree.cliques) == 39
    assert tree.cells == 39 * 9
    assert not logarithms


def test_a_variable_lives_in_its_smallest_clique():
    chain = [Potential("CA", np.ones((10, 2))), Potential("AB", np.ones((2, 2))), Potential("BD", np.ones((2, 10)))]
    tree = compiled(MarkovNetwork(chain)).tree
    assert [math.prod(tree.cliques[tree.homes[name].clique].shape) for name in "CABD"] == [20, 4, 4, 20]


def test_a_tree_is_built_once_and_goes_with_its_network():
    network = catalogue.student()
    potentials = compiled(network)
    assert compiled(network) is potentials
    assert compiled(catalogue.student()) is not potentials
    gone = weakref.ref(network)
    del network
    gc.collect()
    assert gone() is None
