import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgm_tfp import elimination
from pgm_tfp.potentials import LOG_MAX_PRODUCT, Potential, held
from tests.pgm_tfp.oracles_exact import bayesian_networks, enumerated, log_of_sum, markov_networks, quickly

networks = st.one_of(bayesian_networks(), markov_networks())


def log_weights(network, keep):
    """log of the summed product, not divided by Z, by the states of `keep`."""
    grouped = enumerated(network).grouped(keep)
    shift = network.log_partition if hasattr(network, "log_partition") else 0.0
    return {states: weight + shift for states, weight in grouped.items()}


def test_variables_that_share_a_potential_are_joined():
    graph = elimination.interaction_graph([Potential("ABC", np.ones((2, 2, 2))), Potential("D", [1.0, 1.0])])
    assert {frozenset(edge) for edge in graph.edges} == {frozenset("AB"), frozenset("AC"), frozenset("BC")}
    assert list(graph) == ["A", "B", "C", "D"]


def test_sizes_are_those_of_the_axes():
    assert elimination.sizes_of([Potential("AB", np.ones((2, 3))), Potential("C", [1.0])]) == {"A": 2, "B": 3, "C": 1}


def test_what_is_asked_about_is_eliminated_last():
    chain = [Potential(pair, np.ones((2, 2))) for pair in ("AB", "BC", "CD")]
    assert set(elimination.elimination_of(chain, last="AD").order[2:]) == {"A", "D"}


@quickly
@given(networks, st.data())
def test_summing_out_leaves_the_sum_over_the_kept_variables(network, data):
    keep = data.draw(st.lists(st.sampled_from(list(network.states)), unique=True, max_size=3))
    left = elimination.sum_out(network.potentials(), keep)
    assert {variable for potential in left for variable in potential.variables} <= set(keep)
    for states, expected in log_weights(network, keep).items():
        at = {name: network.states[name].index(state) for name, state in zip(keep, states, strict=True)}
        ours = sum(float(potential.reduced(at).values) for potential in left)
        assert ours == pytest.approx(expected, abs=1e-10)


@quickly
@given(networks, st.data())
def test_the_joint_table_has_its_axes_in_the_order_asked_for_and_sums_to_one(network, data):
    keep = data.draw(st.permutations(list(network.states)))[:3]
    table, weight = elimination.joint(network.potentials(), keep)
    expected = log_weights(network, keep)
    assert table.variables == tuple(keep)
    assert table.values.sum() == pytest.approx(1.0, abs=1e-12)
    assert weight == pytest.approx(log_of_sum(list(expected.values())), abs=1e-10)
    for index in np.ndindex(table.values.shape):
        states = tuple(network.states[name][at] for name, at in zip(keep, index, strict=True))
        assert table.values[index] == pytest.approx(math.exp(expected[states] - weight), abs=1e-12)


@quickly
@given(networks)
def test_the_maximum_is_the_largest_product_and_is_reached_where_it_says(network):
    logs = [held(potential, LOG_MAX_PRODUCT) for potential in network.potentials()]
    best, weight = elimination.maximum(logs)
    assert weight == pytest.approx(max(log_weights(network, list(network.states)).values()), abs=1e-10)
    assert set(best) == set(network.states)
    assert sum(float(potential.reduced(best).values) for potential in logs) == pytest.approx(weight, abs=1e-10)


def test_a_sum_that_is_zero_is_minus_infinity():
    apart = [Potential("A", [1.0, 0.0]), Potential("A", [0.0, 1.0])]
    assert elimination.log_sum(apart) == -np.inf
    table, weight = elimination.joint(apart, ["A"])
    assert weight == -np.inf
    np.testing.assert_array_equal(table.values, [0.0, 0.0])


def test_the_sum_over_nothing_is_one():
    assert elimination.log_sum([]) == 0.0


@pytest.mark.parametrize("size", [1e-200, 1e-160, 1e200])  # their products: zero, not all digits, infinite
def test_products_beyond_float64_are_right(size):
    potentials = [
        Potential("AB", [[size, 2 * size], [3 * size, 0.0]]),
        Potential("BA", [[size, 5 * size], [size, 0.0]]),
    ]
    expected = 2 * math.log(size)
    assert elimination.log_sum(potentials) == pytest.approx(expected + math.log(18), rel=1e-14)
    for keep in (["A"], ["A", "B"]):
        table, weight = elimination.joint(potentials, keep)
        assert weight == pytest.approx(expected + math.log(18), rel=1e-14)
        np.testing.assert_allclose(table.values.reshape(2, -1).sum(1), [3 / 18, 15 / 18], rtol=1e-12)


def test_a_constant_counts():
    assert elimination.log_sum([Potential((), 3.0), Potential("A", [1.0, 1.0])]) == pytest.approx(math.log(6))


def test_what_looks_like_nothing_beside_the_rest_counts_when_the_rest_is_ruled_out():
    # A copy of a copy: first all speaks for the first state, 1e-400 to 1, then against it, as loudly, in two steps.
    copy = np.eye(2)
    chain = [Potential("AB", copy), Potential("BC", copy), Potential("CD", copy)]
    said = [Potential("A", [1.0, 1e-200])] * 2 + [Potential(name, [1e-200, 1.0]) for name in "CD"]
    for keep in "ABCD":
        table, weight = elimination.joint([*chain, *said], [keep])
        np.testing.assert_allclose(table.values, [0.5, 0.5], rtol=1e-12)
        assert weight == pytest.approx(math.log(2) - 400 * math.log(10))
