"""Drawings and tables for notebooks: nothing overlaps, nothing is lost, and no name becomes markup."""

import re
from itertools import combinations
from xml.etree import ElementTree

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgm_tfp import BayesianNetwork, MarkovNetwork, Table, catalogue, exact
from pgm_tfp.graphs import directed_graph, undirected_graph
from pgm_tfp.html_tables import MOST_ROWS
from pgm_tfp.layouts import arranged
from pgm_tfp.network_svg import Row, network_svg, rows_svg
from tests import odd_names

SVG = "{http://www.w3.org/2000/svg}"
MARKUP = "<script>alert(\"&')</script>"


@st.composite
def graphs(draw, most=14):
    """Directed acyclic and undirected graphs, some of them of several parts."""
    names = [f"variable_{number}" for number in range(draw(st.integers(1, most)))]
    pairs = list(combinations(names, 2))
    edges = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=2 * most)) if pairs else []
    return draw(st.sampled_from([directed_graph, undirected_graph]))(edges, names)


def overlap(one, other):
    return (
        abs(one.x - other.x) < (one.width + other.width) / 2 and abs(one.y - other.y) < (one.height + other.height) / 2
    )


@given(graphs(), st.randoms(use_true_random=False))
def test_boxes_do_not_overlap_and_lines_join_their_borders(graph, random):
    places = arranged(graph, {name: (random.uniform(20, 150), random.uniform(20, 120)) for name in graph})
    assert list(places.boxes) == list(graph)
    assert not [pair for pair in combinations(places.boxes.values(), 2) if overlap(*pair)]
    for box in places.boxes.values():
        assert 0 <= box.x - box.width / 2 <= box.x + box.width / 2 <= places.width
        assert 0 <= box.y - box.height / 2 <= box.y + box.height / 2 <= places.height
    assert list(places.lines) == list(graph.edges)
    for ends, line in places.lines.items():
        for name, (x, y) in zip(ends, line[[0, -1]], strict=True):
            box = places.boxes[name]
            share = max(abs(x - box.x) / box.width, abs(y - box.y) / box.height)
            assert share == pytest.approx(0.5, abs=1e-6)
        if graph.is_directed():  # downwards all the way
            assert (np.diff(line[:, 1]) > 0).all()


def test_a_line_over_several_layers_passes_no_box():
    chain = nx.path_graph([f"x{number}" for number in range(6)], create_using=nx.DiGraph)
    chain.add_edge("x0", "x5")
    places = arranged(chain, dict.fromkeys(chain, (60.0, 30.0)))
    for x, y in places.lines["x0", "x5"][1:-1]:
        for box in places.boxes.values():
            assert abs(x - box.x) > box.width / 2 or abs(y - box.y) > box.height / 2


def test_a_network_without_variables_is_an_empty_drawing():
    assert not ElementTree.fromstring(BayesianNetwork({})._repr_svg_()).findall(f".//{SVG}rect")


@pytest.mark.parametrize("name", catalogue.NETWORKS)
def test_a_network_draws_every_variable_and_every_edge(name):
    network = catalogue.NETWORKS[name]()
    drawn = ElementTree.fromstring(network._repr_svg_())
    assert [text.text for text in drawn.iter(f"{SVG}text")] == list(network.graph)
    assert len(drawn.findall(f".//{SVG}path")) == len(network.graph.edges)
    assert len(drawn.findall(f".//{SVG}polygon")) == (len(network.graph.edges) if network.graph.is_directed() else 0)
    assert repr(network).startswith(type(network).__name__)


@given(odd_names.names, odd_names.names)
def test_odd_names_are_drawn_as_text(variable, state):
    graph = directed_graph([], [variable, MARKUP])
    rows = {variable: [Row(state, 0), Row(MARKUP, 1)], MARKUP: []}
    for svg in (network_svg(graph), rows_svg(graph, rows)):
        drawn = ElementTree.fromstring(svg.encode("utf-8"))
        assert {element.tag.removeprefix(SVG) for element in drawn.iter()} <= {
            "svg", "style", "g", "title", "rect", "text", "path", "polygon",
        }  # fmt: skip


def test_each_state_can_be_reached_by_its_numbers():
    network = catalogue.student()
    rows = {name: [Row(str(state), at) for at, state in enumerate(network.states[name])] for name in network.graph}
    drawn = ElementTree.fromstring(rows_svg(network.graph, rows))
    found = {
        (int(row.get("data-variable")), int(row.get("data-state"))): row.get("aria-label")
        for row in drawn.iter(f"{SVG}g")
        if row.get("data-state")
    }
    assert found == {
        (number, state): f"{name} = {network.states[name][state]}"
        for number, name in enumerate(network.graph)
        for state in range(len(network.states[name]))
    }


def cells(html):
    assert "<script" not in html
    rows = ElementTree.fromstring(f"<all>{html}</all>").iter("tr")
    return [["".join(cell.itertext()) for cell in row] for row in rows]


def test_answers_are_tables_in_a_notebook_and_dictionaries_elsewhere():
    room, evidence = catalogue.server_room(), {"M": True}
    one = exact.marginal(room, "A", evidence)
    assert one == {False: one[False], True: one[True]}
    assert repr(one) == repr(dict(one))
    assert cells(one._repr_html_()) == [
        ["A", "probability", ""], ["False", f"{one[False]:.4f}", ""], ["True", f"{one[True]:.4f}", ""],
    ]  # fmt: skip
    several = exact.joint_marginal(room, ["O", "A"], evidence)
    assert cells(several._repr_html_())[1] == ["False", "False", f"{several[False, False]:.4f}", ""]
    everything = exact.marginals(room, evidence)
    assert ["A", "True", f"{everything['A'][True]:.4f}", ""] in cells(everything._repr_html_())


def test_factors_are_tables_of_all_their_entries():
    network = catalogue.student()
    table = network.table("G")
    shown = cells(table._repr_html_())
    assert shown[0] == ["I", "D", "P(1)", "P(2)", "P(3)"]
    assert shown[2] == ["0", "1", "0.0500", "0.2500", "0.7000"]
    assert len(shown) == 5
    potential = network.potentials(["S"])[0]
    assert cells(potential._repr_html_())[-1] == ["1", "1", "0.8000"]


def test_rows_of_posteriors_are_a_table():
    answers = exact.posteriors(catalogue.server_room(), {"M": [True, False], "S": [None, True]})
    shown = cells(answers._repr_html_())
    assert shown[0] == ["row", "O", "A", "T", "M", "S", "log evidence"]
    assert shown[1][4] == "0.0000 1.0000"
    assert shown[2][-1] == f"{answers.log_evidence[1]:.4f}"


def test_a_long_table_says_how_many_rows_are_left_out():
    wide = Table.of_true(np.full((2,) * 8, 0.5), [f"p{number}" for number in range(8)])
    html = wide._repr_html_()
    assert len(cells(html)) == 1 + MOST_ROWS
    assert f"{2**8 - MOST_ROWS} more" in re.sub(r"<[^>]*>", "", html)


def test_markup_in_names_is_text_in_tables():
    network = BayesianNetwork({MARKUP: Table([0.5, 0.5], states=(MARKUP, "&"))})
    assert cells(exact.marginal(network, MARKUP)._repr_html_())[1][0] == MARKUP
    assert cells(network.table(MARKUP)._repr_html_())[0] == [f"P({MARKUP})", "P(&)"]
    markov = MarkovNetwork({(MARKUP, "b"): np.ones((2, 2))})
    for shown in (network._repr_svg_(), markov._repr_svg_(), markov.potentials()[0]._repr_html_()):
        assert "<script" not in shown
        assert "script" in shown
