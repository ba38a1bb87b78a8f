"""Figures show what they are given."""

import io
from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from scipy.spatial.distance import pdist

from pgm_tfp import catalogue
from pgm_tfp.diagrams import drawing, layout
from pgm_tfp.markov import moralize
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


LONG = ["a", "b_c", "W" * 12, "misses_the_lecture", "bus_is_late_today_again", "ERRLOWOUTPUT", "two words", "x" * 40]


@pytest.mark.parametrize("names", [LONG, [*"abcdef"], [f"variable_{n}" for n in range(25)]], ids=len)
@pytest.mark.parametrize("directed", [True, False])
def test_every_name_fits_into_its_circle_and_no_two_circles_touch(names, directed):
    edges = [(names[number // 2], name) for number, name in enumerate(names) if number]
    figure = drawing((nx.DiGraph if directed else nx.Graph)(edges))
    figure.canvas.draw()
    (axes,) = figure.axes
    circles = axes.collections[-1]
    radius = np.sqrt(circles.get_sizes()[0]) / 2 * figure.dpi / 72
    centres = axes.transData.transform(circles.get_offsets())
    assert pdist(centres).min() > 2 * radius
    assert (centres > radius).all()
    assert (centres + radius < figure.bbox.size).all()
    labels = [text for text in axes.texts if text.get_text()]
    assert {text.get_text().replace("\n", "").replace(" ", "") for text in labels} == {
        name.replace(" ", "") for name in names
    }
    for text in labels:
        box = text.get_window_extent()
        assert np.hypot(box.width, box.height) < 2 * radius, text.get_text()


def test_a_network_draws_itself_into_a_file(tmp_path):
    room = catalogue.server_room()
    room.draw(tmp_path / "new" / "room.png", "The server room")
    moralize(room).draw(str(tmp_path / "moral.svg"))
    assert (tmp_path / "new" / "room.png").read_bytes().startswith(b"\x89PNG")
    assert "svg" in (tmp_path / "moral.svg").read_text()
    assert room.draw().axes[0].texts
    with pytest.raises(ValueError, match="docx"):
        room.draw(tmp_path / "room.docx")
    assert {path.name for path in tmp_path.iterdir()} == {"new", "moral.svg"}


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
