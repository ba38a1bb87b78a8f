import math
from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from pgm_tfp import MarkovNetwork, Potential, markov
from pgm_tfp.exact import TooLargeError
from pgm_tfp.graphs import chordless_cycle
from tests.pgm_tfp.oracles_exact import (
    bayesian_networks,
    enumerated,
    factors_of,
    log,
    log_of_sum,
    markov_networks,
    quickly,
)


def misconception():
    """Four students in pairs (Koller & Friedman 2009, figure 4.1)."""
    return MarkovNetwork(
        {
            ("A", "B"): [[30, 5], [1, 10]],
            ("B", "C"): [[100, 1], [1, 100]],
            ("C", "D"): [[1, 100], [100, 1]],
            ("D", "A"): [[100, 1], [1, 100]],
        },
        states=dict.fromkeys("ABCD", ("0", "1")),
    )


def test_the_misconception_network_has_the_numbers_of_the_book():
    # figure 4.2: Z = 7,201,840, and a0 b1 c1 d0 has weight 5,000,000
    network = misconception()
    assert network.log_partition == markov.log_partition(network) == pytest.approx(math.log(7_201_840))
    most = {"A": "0", "B": "1", "C": "1", "D": "0"}
    assert network.log_prob(most) == pytest.approx(math.log(5_000_000 / 7_201_840))
    np.testing.assert_allclose(
        network.joint().over("ABCD").values[1, 1, 0, 1], 100 / 7_201_840 * 10 * 1 * 100 * 100 / 100
    )


@quickly
@given(markov_networks())
def test_the_partition_function_is_the_sum_of_all_weights(network):
    factors, weights = factors_of(network), []
    for indices in np.ndindex(*(len(states) for states in network.states.values())):
        at = dict(zip(network.states, indices, strict=True))
        weights.append(sum(log(values[tuple(at[name] for name in scope)]) for scope, values in factors))
    assert network.log_partition == pytest.approx(log_of_sum(weights), abs=1e-10)


@quickly
@given(markov_networks())
def test_the_joint_and_log_prob_agree_with_enumeration(network):
    joint, expected = network.joint(), enumerated(network)
    assert joint.variables == tuple(network.graph)
    assert joint.values.sum() == pytest.approx(1.0)
    for states, weight in expected.logs.items():
        assignment = dict(zip(expected.variables, states, strict=True))
        index = tuple(network.states[name].index(assignment[name]) for name in joint.variables)
        assert joint.values[index] == pytest.approx(math.exp(weight), abs=1e-12)
        assert network.log_prob(assignment) == pytest.approx(weight, abs=1e-10)


@quickly
@given(bayesian_networks())
def test_the_moralised_network_has_the_same_joint_and_the_moral_graph(network):
    moral = markov.moralize(network)
    assert moral.states == network.states
    np.testing.assert_allclose(moral.joint().over(tuple(network.states)).values, network.joint().values, atol=1e-12)
    assert {frozenset(edge) for edge in moral.graph.edges} == {
        frozenset(edge) for edge in nx.moral_graph(network.graph).edges
    }


@quickly
@given(st.sets(st.sampled_from(list(combinations("ABCDEF", 2)))))
def test_maximal_cliques_and_chordality_agree_with_networkx(edges):
    network = MarkovNetwork.from_edges(edges, variables="ABCDEF")
    cliques = markov.maximal_cliques(network)
    place = list(network.graph).index
    assert cliques == markov.maximal_cliques(network.graph)
    assert [[place(name) for name in clique] for clique in cliques] == sorted(
        sorted(map(place, clique)) for clique in cliques
    )
    assert {frozenset(clique) for clique in cliques} == {frozenset(clique) for clique in nx.find_cliques(network.graph)}
    has_no_hole = chordless_cycle(network.graph) is None
    assert markov.is_chordal(network) == markov.is_chordal(network.graph) == has_no_hole
    assert {frozenset(potential.variables) for potential in network.potentials()} == set(map(frozenset, cliques))


def test_a_network_of_edges_is_the_same_at_every_call_and_another_for_another_seed():
    first, again, other = (MarkovNetwork.from_edges(["AB", "BC"], seed=seed).joint().values for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01
    logs = np.log([potential.values for potential in MarkovNetwork.from_edges(["AB", "BC"]).potentials()])
    assert np.abs(logs).max() < 1.0
    assert np.abs(logs).min() > 0.0


def test_arrays_by_their_variables_and_potentials_make_the_same_network():
    values = np.arange(1.0, 7.0).reshape(2, 3)
    by_arrays = MarkovNetwork({("A", "B"): values.tolist(), ("B",): [1, 2, 3]})
    by_potentials = MarkovNetwork([Potential("AB", values), Potential("B", [1, 2, 3])])
    np.testing.assert_array_equal(by_arrays.joint().values, by_potentials.joint().values)
    assert by_arrays.states == by_potentials.states == {"A": (False, True), "B": (0, 1, 2)}


def test_two_potentials_over_the_same_variables_both_count():
    twice = MarkovNetwork([Potential("A", [1.0, 2.0]), Potential("A", [1.0, 3.0])])
    np.testing.assert_allclose(twice.joint().values, [1 / 7, 6 / 7])


def test_the_factorization_lists_the_maximal_cliques():
    assert misconception().factorization() == "1/Z phi(A, B) phi(A, D) phi(B, C) phi(C, D)"
    triangle = MarkovNetwork([Potential(pair, np.ones((2, 2))) for pair in ("AB", "BC", "AC")])
    assert repr(triangle) == "MarkovNetwork(1/Z phi(A, B, C))"


@pytest.mark.parametrize(
    ("potentials", "states", "message"),
    [
        ({("A",): [1, -1]}, None, r"^the potential over \(A\): weights must be finite and not negative"),
        ({("A", "B"): [[1, np.nan], [1, 1]]}, None, r"^the potential over \(A, B\): weights must be finite"),
        ({("A",): [1, np.inf]}, None, r"^the potential over \(A\): weights must be finite"),
        ({("A",): [0, 0]}, None, r"^the potential over \(A\): .* at least one above zero"),
        ({("A",): [[1, 2]]}, None, r"\(A\) needs an array of 1 axes, not of 2"),
        (
            {("A",): [1, 2], ("A", "B"): np.ones((3, 2))},
            None,
            r"^the potential over \(A, B\): A has 3 states there, 2 elsewhere$",
        ),
        ({("Alarm",): [1, 2]}, {"Alrm": ("no", "yes")}, "^states of an unknown variable Alrm; did you mean Alarm?"),
        ({("A",): [1, 2]}, {"A": "abc"}, "^A: expected names of 2 states, given 3$"),
    ],
)
def test_wrong_potentials_are_errors_that_name_them(potentials, states, message):
    with pytest.raises(UserError, match=message):
        MarkovNetwork(potentials, states)


def test_an_assignment_must_be_whole_and_known():
    network = misconception()
    whole = dict.fromkeys("ABCD", "0")
    with pytest.raises(UserError, match="all variables: D is missing"):
        network.log_prob(dict.fromkeys("ABC", "0"))
    with pytest.raises(UserError, match="unknown variable Z"):
        network.log_prob({**whole, "Z": "0"})
    with pytest.raises(UserError, match="A has no state 2; its states: 0, 1"):
        network.log_prob({**whole, "A": "2"})


def test_a_network_without_any_possible_state_is_an_error_wherever_its_sum_is_needed():
    nothing = MarkovNetwork([Potential("A", [0.0, 1.0]), Potential("A", [1.0, 0.0])])
    for ask in (lambda: nothing.log_partition, nothing.joint, lambda: nothing.log_prob({"A": True})):
        with pytest.raises(UserError, match="exclude every joint state"):
            ask()


def test_a_joint_beyond_float64_is_right_and_one_beyond_memory_refused():
    small = MarkovNetwork([Potential("A", [1e-200, 3e-200]), Potential("A", [1e-200, 1e-200])])
    np.testing.assert_allclose(small.joint().values, [0.25, 0.75])
    with pytest.raises(
        TooLargeError, match=r"a joint distribution takes tables of 1.13e\+15 cells, up to 50 variables"
    ):
        MarkovNetwork([Potential([f"x{place}"], [1, 1]) for place in range(50)]).joint()
