"""What a visitor sets, and what follows: against the functions of inference and of independence."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from pgm_tfp import BayesianNetwork, Conditional, MarkovNetwork, Table, catalogue, exact
from pgm_tfp.backend import tfd
from pgm_tfp.explorer.drawing import MOST_ROWS, Drawing, message, percent
from pgm_tfp.explorer.hybrid import hybrid_posterior
from pgm_tfp.explorer.situation import (
    MOST_VARIABLES,
    Situation,
    check_size,
    exact_answer,
    first_pair,
    mean_field_answer,
    most_probable,
    relation,
)
from pgm_tfp.graphs import directed_graph
from pgm_tfp.independence import d_separated, separated, trails
from pgm_tfp.variational import quadrature, target
from tests.pgm_tfp.oracles_exact import bayesian_networks, quickly

ROOM = catalogue.server_room()


@st.composite
def situations(draw):
    """A random network with findings and interventions."""
    situation = Situation(draw(bayesian_networks(share_of_zeros=(0.0,))))
    for name in draw(st.lists(st.sampled_from([*situation.network.graph]), unique=True, max_size=4)):
        situation = situation.toggled(name, draw(st.sampled_from(situation.network.states[name])), draw(st.booleans()))
    return situation


@quickly
@given(situations())
def test_the_answers_are_those_of_the_network_after_the_interventions(situation):
    answer, network = exact_answer(situation), situation.network.do(situation.done)
    for name in network.graph:
        expected = [*exact.marginal(network, name, situation.seen).values()]
        np.testing.assert_allclose(answer.probabilities[name], expected, atol=1e-12)
    assert answer.log_evidence == pytest.approx(exact.log_evidence(network, situation.seen))
    assert set(situation.graph.edges) == set(network.graph.edges)
    states, nats = most_probable(situation)
    assert {name: states[name] for name in situation.given} == {**situation.seen, **situation.done}
    assert nats == pytest.approx(network.log_prob(states))
    assert mean_field_answer(situation).elbo <= answer.log_evidence + 1e-9


@quickly
@given(situations())
def test_a_relation_lists_the_trails_of_the_cut_graph(situation):
    names = [*situation.network.graph]
    for x, y in itertools.pairwise(names):
        found = relation(situation, x, y)
        if {x, y} & situation.given:
            assert not found.ways
            continue
        separate = d_separated(situation.graph, x, y, situation.given)
        assert ("independent" in found.verdict) == separate
        assert separate == (not any(way.active for way in found.ways))
        expected = trails(situation.graph, x, y, situation.given)
        assert [way.nodes for way in found.ways if way.active] == [one.nodes for one in expected if one.active]
        assert {way.nodes for way in found.ways} == {one.nodes for one in expected}
        for way in found.ways:  # the reason says "set", not "observed", of a variable that is set
            done = [name for name in way.blocking if name in situation.done]
            assert all(
                f"{name} is a chain and set" in way.reason or f"{name} is a fork and set" in way.reason for name in done
            )


@given(situations())
def test_a_second_click_releases_a_state(situation):
    for name, value in situation.seen.items():
        assert situation.toggled(name, value) == situation.released(name)
    for name, value in situation.done.items():
        assert situation.toggled(name, value, doing=True) == situation.released(name)
        observed = situation.toggled(name, value)  # a finding replaces the intervention
        assert name in observed.seen
        assert name not in observed.done


def test_o_and_a_depend_on_each_other_given_m_through_a_collider():
    assert [*first_pair(ROOM.graph)] == ["O", "A"]
    before = relation(Situation(ROOM), "O", "A")
    after = relation(Situation(ROOM).toggled("M", True), "O", "A")
    assert "independent" in before.verdict
    assert "depend" in after.verdict
    (way,) = after.ways
    assert way.active
    assert way.nodes == ("O", "T", "A")
    assert "collider" in way.reason
    assert "M" in way.reason
    assert relation(Situation(ROOM).toggled("T", True, doing=True), "O", "A").ways == []


def test_a_markov_network_has_paths_and_cuts():
    network = catalogue.assignment_markov_network()
    for given_variables in ({}, {"C": True, "E": True}):
        situation = Situation(network, given_variables)
        found = relation(situation, "A", "G")
        assert ("independent" in found.verdict) == separated(network, "A", "G", situation.given)
        (way,) = found.ways
        assert way.active == (not way.blocking)


def test_many_trails_are_cut_short_with_a_word():
    names = [f"x{number}" for number in range(16)]
    edges = [(a, b) for place, a in enumerate(names) for b in names[place + 1 :]]
    found = relation(Situation(BayesianNetwork.from_edges(edges[:60], names)), "x0", "x4")
    assert "More than" in found.verdict
    assert len(found.ways) == 30


def test_a_long_active_trail_is_named_where_the_short_ones_are_blocked():
    children = [f"c{number}" for number in range(32)]
    edges = [(parent, child) for child in children for parent in "xy"]
    edges += [*itertools.pairwise(children), *itertools.pairwise("xpqrsy")]
    found = relation(Situation(BayesianNetwork.from_edges(edges[:64], "xy")), "x", "y")
    assert "independent" in found.verdict
    graph = directed_graph(edges)
    network = BayesianNetwork(
        {name: Table.of_true(np.full((2,) * graph.in_degree(name), 0.5), [*graph.predecessors(name)]) for name in graph}
    )
    found = relation(Situation(network), "x", "y")
    assert "depend" in found.verdict
    assert any(way.active for way in found.ways) or "None of these is active" in found.verdict


def test_an_intervention_is_called_so():
    situation = Situation(ROOM).toggled("M", True).toggled("T", True, doing=True)
    assert "given M, do(T)" in relation(situation, "O", "A").verdict
    assert situation.in_words() == "M=True | do(T=True)"
    fork = Situation(BayesianNetwork.from_edges([("t", "a"), ("t", "b")])).toggled("t", True, doing=True)
    (way,) = relation(fork, "a", "b").ways
    assert "set" in way.reason
    assert "observed" not in way.reason


def test_parts_that_no_path_joins_have_no_trail():
    markov = MarkovNetwork.from_edges([("a", "b"), ("c", "d")])
    assert relation(Situation(markov), "a", "c").ways == []
    assert "No path" in relation(Situation(markov), "a", "c").verdict


def test_a_network_that_is_too_large_is_refused_with_its_cost():
    chain = BayesianNetwork.from_edges([(f"x{i}", f"x{i + 1}") for i in range(MOST_VARIABLES)])
    with pytest.raises(UserError, match=str(MOST_VARIABLES + 1)):
        check_size(chain, "chain")
    grid = MarkovNetwork.from_edges(
        [(f"{i},{j}", f"{i + a},{j + b}") for i in range(9) for j in range(9) for a, b in ((0, 1), (1, 0))]
    )
    check_size(grid, "grid")
    states = {key: [*range(12)] for key in grid.graph}
    large = MarkovNetwork({edge: np.ones((12, 12)) for edge in grid.graph.edges}, states)
    with pytest.raises(UserError, match="cells"):
        check_size(large, "grid")


@pytest.mark.parametrize("evidence", [{"M": True, "S": False, "L": 60.0, "R": 31.0}, {"L": 70.0, "R": 25.0}], ids=str)
def test_the_temperature_agrees_with_quadrature(evidence):
    network = catalogue.server_room_thermal()
    found, known = hybrid_posterior(network, evidence), quadrature(target(network, evidence))
    assert found.error < 1e-9
    assert found.log_evidence == pytest.approx(known.log_evidence.value, abs=1e-5)
    points = known.marginal("C")
    assert found.curves["C"].mean() == pytest.approx(float(points.mean()), abs=1e-4)
    assert found.curves["C"].std() == pytest.approx(float(points.std()), abs=1e-3)
    for name in ("O", "A"):
        assert found.probabilities[name][1] == pytest.approx(known.marginal(name)[True], abs=1e-5)


def test_hybrid_answers_agree_with_draws_of_the_network():
    network = catalogue.server_room_thermal()
    draws = network.sample(200_000, seed=0)
    hot = draws["M"] & ~draws["S"]
    found = hybrid_posterior(network, {"M": True, "S": False})
    assert found.log_evidence == pytest.approx(math.log(hot.mean()), abs=0.03)
    for name in ("C", "R", "L"):
        error = draws[name][hot].std() / math.sqrt(hot.sum())
        assert found.curves[name].mean() == pytest.approx(draws[name][hot].mean(), abs=5 * error)
        assert found.curves[name].std() == pytest.approx(draws[name][hot].std(), rel=0.05)
    assert found.probabilities["A"][1] == pytest.approx(draws["A"][hot].mean(), abs=0.03)
    assert found.probabilities["S"] == [1.0, 0.0]


def test_setting_the_temperature_says_nothing_about_its_causes():
    network = catalogue.server_room_thermal()
    before, after = hybrid_posterior(network), hybrid_posterior(network, {}, {"C": 35.0})
    observed = hybrid_posterior(network, {"C": 35.0})
    for name in ("O", "A", "S"):
        np.testing.assert_allclose(after.probabilities[name], before.probabilities[name], atol=1e-12)
    assert observed.probabilities["A"][1] > 0.9
    assert after.probabilities["M"][1] == pytest.approx(1 / (1 + math.exp(-6 / 0.7)))
    assert after.log_evidence == pytest.approx(0.0, abs=1e-12)


def test_a_normal_chain_has_its_closed_form():
    network = BayesianNetwork(
        {"z": Conditional(lambda: tfd.Normal(0.0, 2.0)), "x": Conditional(lambda z: tfd.Normal(z, 1.0), ("z",))}
    )
    found = hybrid_posterior(network, {"x": 3.0})
    assert found.curves["z"].mean() == pytest.approx(3.0 * 4 / 5, abs=1e-9)
    assert found.curves["z"].std() == pytest.approx(math.sqrt(4 / 5), abs=1e-9)
    assert found.log_evidence == pytest.approx(-0.5 * math.log(2 * math.pi * 5) - 9 / 10, abs=1e-9)
    assert hybrid_posterior(network).curves["x"].std() == pytest.approx(math.sqrt(5), abs=1e-5)
    far = hybrid_posterior(network, {"x": 200.0})  # the mass is at the end of the grid
    assert far.error > 1e-3


def test_two_hidden_numbers_that_matter_are_refused():
    network = BayesianNetwork(
        {
            "a": Conditional(lambda: tfd.Normal(0.0, 1.0)),
            "b": Conditional(lambda: tfd.Normal(0.0, 1.0)),
            "c": Conditional(lambda a, b: tfd.Normal(a + b, 1.0), ("a", "b")),
        }
    )
    with pytest.raises(UserError, match="a and b"):
        hybrid_posterior(network, {"c": 0.0})


def test_impossible_findings_of_a_hybrid_network_are_refused():
    network = BayesianNetwork({"a": Table.of_true(1.0), "x": Conditional(lambda a: tfd.Normal(0.0, 1.0), ("a",))})
    with pytest.raises(UserError, match="impossible"):
        hybrid_posterior(network, {"a": False})


@quickly
@given(situations())
def test_what_the_drawing_shows_adds_up_to_one(situation):
    drawing = Drawing(situation.network, exact_answer(Situation(situation.network)))
    change = drawing.change(situation, exact_answer(situation), {}, None)
    for rows in (change["rows"], drawing.marks(mean_field_answer(situation))["approximate"]):
        for at, name in enumerate(situation.network.graph):
            of = [row for row in rows if row[0].split("-")[0] == str(at)]
            assert sum(row[1] for row in of) == pytest.approx(1.0)
            assert len(of) <= MOST_ROWS
            assert len(of) == min(MOST_ROWS, len(situation.network.states[name]))
    chosen = [row for row in change["rows"] if "chosen" in row[3]]
    assert len(chosen) == len(situation.given)
    assert all(row[2] == "100%" for row in chosen)


def test_states_that_share_a_line_add_up():
    network = BayesianNetwork({"x": Table(np.arange(1, 21) / 210, states=range(20))})
    answer = exact_answer(Situation(network))
    drawing = Drawing(network, answer)
    change = drawing.change(Situation(network), answer, {"x": 19}, None)
    assert change["rows"][-1][1] == pytest.approx(sum(range(8, 21)) / 210)
    assert change["rows"][-1][3] == "best"
    assert "13" in drawing.rows["x"][-1].name


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0%"), (1.0, "100%"), (1e-13, "< 0.1%"), (0.9995, "> 99.9%"), (0.99949, "99.9%"), (0.5, "50.0%")],
)
def test_only_certainty_is_shown_as_certainty(share, text):
    assert percent(share) == text


def test_no_text_ends_the_script_of_a_message():
    assert "</script" not in message({"rows": [("0-0", 0.5, "</script>", "")]}, 1, 1)
