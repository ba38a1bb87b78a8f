"""Figures show what they are given."""

import io
from itertools import combinations

import networkx as nx
import numpy as np
import pytest

from pgm_tfp import catalogue
from pgm_tfp.plots import (
    Density,
    Entry,
    Panel,
    density_curves,
    elbo_traces,
    gap_bars,
    graph_panels,
    probability_bars,
    table_intervals,
    variance_bars,
)
from pgm_tfp.plots.diagrams import layout


def test_directed_edges_point_downwards_and_nodes_stand_apart():
    for network in (catalogue.server_room(), catalogue.assignment_bayesian_network(), catalogue.student()):
        places = layout(network.graph)
        assert all(places[parent][1] > places[child][1] for parent, child in network.graph.edges)
        assert min(np.hypot(*(places[a] - places[b])) for a, b in combinations(places, 2)) > 0.5


def test_a_planar_graph_is_drawn_without_crossings():
    graph = catalogue.assignment_markov_network().graph
    places = layout(graph)

    def left_of(a, b, c):
        return np.cross(np.append(places[b] - places[a], 0), np.append(places[c] - places[a], 0))[2] > 0

    for (a, b), (c, d) in combinations(graph.edges, 2):
        if len({a, b, c, d}) == 4:
            assert left_of(a, b, c) == left_of(a, b, d) or left_of(c, d, a) == left_of(c, d, b)


def test_panels_of_the_same_variables_share_their_places():
    graph = nx.DiGraph([("a", "b"), ("b", "c")])
    moral = nx.Graph(graph)
    figure = graph_panels([Panel(graph), Panel(moral, path=["a", "b"])], "title", "caption")
    first, second = (axes.collections[-1].get_offsets() for axes in figure.axes)
    np.testing.assert_array_equal(first, second)


def test_a_bar_is_as_long_as_its_probability():
    situations = {
        "before": {"A": {False: 0.9, True: 0.1}, "G": {1: 0.2, 2: 0.3, 3: 0.5}},
        "after": {"A": {False: 0.4, True: 0.6}, "G": {1: 0.1, 2: 0.1, 3: 0.8}},
    }
    axes = probability_bars(situations, "title", "caption").axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["A = True", "G = 1", "G = 2", "G = 3"]
    widths = [[bar.get_width() for bar in bars] for bars in axes.containers]
    assert widths == [[0.1, 0.2, 0.3, 0.5], [0.6, 0.1, 0.1, 0.8]]


@pytest.mark.parametrize("name", ["$x_1^$", "$", "\\frac{", "_a=1"])
def test_every_figure_can_be_drawn_with_a_name_that_reads_like_a_formula(name):
    graph, line = nx.DiGraph([(name, "b")]), Density(np.arange(4.0), np.ones(4))
    figures = [
        graph_panels([Panel(graph, name, name, [name], [name, "b"], [name])], name, name),
        probability_bars({name: {name: {name: 0.25, "b": 0.75}}}, name, name),
        table_intervals([Entry(name, 0.5, 0.4, 0.6, 0.5)], name, name),
        density_curves(line, {name: line}, name, name, name),
        elbo_traces({name: np.arange(-3.0, 0.0)}, 0.5, name, name),
        gap_bars({name: {name: 0.1, "b": 0.0}}, name, name),
        variance_bars({name: {name: 0.1, "b": 0.2}}, name, name),
    ]
    for figure in figures:
        figure.savefig(io.BytesIO(), format="png", dpi=30)
        assert figure.get_suptitle() == name
    assert [text.get_text() for text in figures[1].axes[0].get_legend().get_texts()] == [name]
