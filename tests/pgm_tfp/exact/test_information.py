"""Information in nats, against the definition."""

from hypothesis import given
from hypothesis import strategies as st

from pgm_tfp import BayesianNetwork, catalogue
from pgm_tfp.exact import conditional_mutual_information
from tests.pgm_tfp import oracles_graphs
from tests.support import examples

EDGES = [("a", "c"), ("b", "c"), ("c", "d"), ("a", "e")]


@examples(30)
@given(st.permutations("abcde"), st.integers(1, 2), st.integers(1, 2), st.integers(0, 100))
def test_it_is_that_of_the_joint(variables, first, second, seed):
    network = BayesianNetwork.from_edges(EDGES, seed=seed)
    x, y, given_ = variables[:first], variables[first : first + second], variables[first + second : 4]
    expected = oracles_graphs.conditional_mutual_information(network.joint(), x, y, given_)
    assert abs(conditional_mutual_information(network, x, y, given_) - expected) < 1e-12


def test_certainty_has_none_and_a_copy_has_the_entropy():
    network = catalogue.sprinkler().do({"C": True})
    assert conditional_mutual_information(network, "C", "S") == 0.0
