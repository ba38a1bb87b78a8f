import math

import numpy as np
import pytest
import scipy.special
import scipy.stats

from pgm_tfp import MarkovNetwork, catalogue, exact
from tests.pgm_tfp.oracles_exact import enumerated

DRAWN = [*catalogue.NETWORKS.values(), catalogue.server_room_thermal, catalogue.two_measurements]


@pytest.mark.parametrize("network_of", DRAWN, ids=lambda network_of: network_of.__name__)
def test_every_network_is_drawn_in_its_docstring_with_all_its_variables(network_of):
    network, text = network_of(), network_of.__doc__
    drawing = text.split("\n\n", 1)[1]
    assert sum(drawing.count(stroke) for stroke in "/\\|v-") >= 4
    for variable in network.graph:
        assert f"({variable})" in drawing or f" {variable} " in drawing.replace("\n", " ")


@pytest.mark.parametrize("name", catalogue.NETWORKS)
def test_every_network_of_the_catalogue_is_made_anew_and_alike(name):
    first, again = catalogue.NETWORKS[name](), catalogue.NETWORKS[name]()
    assert first is not again
    assert first.joint().values.sum() == pytest.approx(1.0)
    np.testing.assert_array_equal(first.joint().values, again.joint().values)


def test_the_server_room_has_the_edges_of_the_assignment_and_a_joint_of_32_rows():
    room = catalogue.server_room()
    assert set(room.graph.edges) == {("O", "T"), ("O", "S"), ("A", "T"), ("T", "M")}
    joint = room.joint()
    assert joint.values.shape == (2,) * 5
    assert joint.values.size == 32
    by_hand = 0.1 * (1 - 0.02) * 0.30 * 0.90 * 0.95  # the door open alone, and everything after it
    assert room.log_prob({"O": True, "A": False, "T": True, "S": True, "M": True}) == pytest.approx(math.log(by_hand))
    explained = enumerated(room, {"T": True, "O": True}).marginal("A")[True]
    assert explained < enumerated(room, {"T": True}).marginal("A")[True]


def test_the_assignments_graphs_have_the_edges_that_are_drawn():
    undirected = catalogue.assignment_markov_network()
    drawn = "AB BC BD CD CE DE DF EF CG FH GI"
    assert {"".join(sorted(edge)) for edge in undirected.graph.edges} == set(drawn.split())
    assert isinstance(undirected, MarkovNetwork)
    directed = catalogue.assignment_bayesian_network()
    edges = "12 13 24 25 35 36 56 47 67"
    assert set(directed.graph.edges) == {(f"x{start}", f"x{end}") for start, end in edges.split()}


@pytest.mark.parametrize(
    ("variable", "state", "evidence", "expected"),
    [
        # Koller & Friedman 2009, section 3.2.1.2
        ("L", True, {}, 0.502),
        ("L", True, {"I": "low"}, 0.389),
        ("L", True, {"I": "low", "D": "easy"}, 0.513),
        ("I", "high", {}, 0.3),
        ("I", "high", {"G": 3}, 0.079),
        ("I", "high", {"L": False}, 0.14),
        ("D", "hard", {"G": 3}, 0.629),
        ("I", "high", {"G": 3, "S": True}, 0.578),
        ("I", "high", {"G": 3, "D": "hard"}, 0.11),
    ],
)
def test_the_student_has_the_numbers_of_the_book(variable, state, evidence, expected):
    digits = 0.005 if expected in (0.14, 0.11) else 0.0005
    assert exact.marginal(catalogue.student(), variable, evidence)[state] == pytest.approx(expected, abs=1.01 * digits)


def test_both_neighbours_calling_makes_a_burglary_as_likely_as_in_the_book():
    # Russell & Norvig 2010, section 14.4.1: <0.284, 0.716>; section 14.2: P(j, m, a, not b, not e) = 0.000628
    burglary = catalogue.burglary()
    assert exact.marginal(burglary, "B", {"J": True, "M": True})[True] == pytest.approx(0.284, abs=0.0005)
    quiet = {"J": True, "M": True, "A": True, "B": False, "E": False}
    assert math.exp(burglary.log_prob(quiet)) == pytest.approx(0.000628, abs=5e-7)


def test_rain_explains_the_sprinkler_away():
    network = catalogue.sprinkler()

    def p(cloudy, sprinkler, rain):
        """P(cloudy, sprinkler, rain, wet grass), by hand."""
        s, r = (0.1, 0.8) if cloudy else (0.5, 0.2)
        wet = {(0, 0): 0.0, (0, 1): 0.9, (1, 0): 0.9, (1, 1): 0.99}[sprinkler, rain]
        return 0.5 * (s if sprinkler else 1 - s) * (r if rain else 1 - r) * wet

    states = [(c, s, r) for c in (0, 1) for s in (0, 1) for r in (0, 1)]
    wet = sum(p(*state) for state in states)
    sprinkler = sum(p(*state) for state in states if state[1]) / wet
    both = sum(p(*state) for state in states if state[1] and state[2]) / sum(p(*state) for state in states if state[2])
    assert exact.marginal(network, "W")[True] == pytest.approx(wet)
    assert exact.marginal(network, "S", {"W": True})[True] == pytest.approx(sprinkler)
    assert exact.marginal(network, "S", {"W": True, "R": True})[True] == pytest.approx(both)
    assert both < sprinkler


def test_the_thermal_server_room_has_the_densities_of_its_docstring():
    room = catalogue.server_room_thermal()
    state = {"O": True, "A": False, "S": True, "C": 28.0, "R": 27.5, "M": False, "L": 47.0}
    normal = scipy.stats.norm.logpdf
    softplus = math.log1p(math.exp(28.0 - 27.0))
    expected = math.log(0.1 * 0.98 * 0.9) + normal(28.0, 26.0, 2.0) + normal(27.5, 28.0, 0.8)
    expected += math.log(scipy.special.expit(-(28.0 - 29.0) / 0.7)) + normal(47.0, 40.0 + 6.0 * softplus, 4.0)
    assert room.log_prob(state) == pytest.approx(expected, rel=1e-12)


def test_two_measurements_of_a_standard_normal():
    state = {"z1": 0.3, "x1": 0.5, "x2": -1.0}
    expected = sum(scipy.stats.norm.logpdf([0.3, 0.5, -1.0], [0.0, 0.3, 0.3], [1.0, 0.5, 2.0]))
    assert catalogue.two_measurements(0.5, 2.0).log_prob(state) == pytest.approx(expected, rel=1e-12)
