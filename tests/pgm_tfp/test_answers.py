"""The answers to parts 1.1 to 1.4 are right."""

import pytest
from matplotlib.figure import Figure

from pgm_tfp import answers, exact
from pgm_tfp.catalogue import server_room
from pgm_tfp.independence import Independence
from pgm_tfp.independence.explanation import explained
from pgm_tfp.plots.independence_panels import panels_of


@pytest.fixture(scope="module")
def parts():
    return {part.title.partition(" ")[0]: part for part in answers.parts()}


def text(part):
    return "\n".join(part.lines)


def test_the_server_rooms_four_questions(parts):
    lines = parts["1.1"].lines
    assert "p(O, A, T, M, S) = P(O) P(A) P(T | O, A) P(M | T) P(S | O)" in lines
    verdicts = {"O _|_ A": "yes", "O _|_ A | M": "no", "S _|_ M": "no", "S _|_ M | O": "yes"}
    for statement, verdict in verdicts.items():
        assert f"{statement}: {verdict}" in lines


def test_the_posteriors_that_are_printed_are_those_of_enumeration(parts):
    network, joint = server_room(), server_room().joint()
    for evidence, name in (({"M": True}, "M=True"), ({"M": True, "S": False}, "M=True, S=False")):
        seen = joint.reduced({variable: int(state) for variable, state in evidence.items()})
        (a,) = seen.axes({"A"})
        by_a = seen.values.sum(tuple(axis for axis in range(seen.values.ndim) if axis != a))
        assert f"  P(A | {name}) = {by_a[1] / by_a.sum():.4f}" in parts["1.1"].lines
    alone, with_siren = (exact.marginal(network, "A", e)[True] for e in ({}, {"S": True}))
    assert alone == pytest.approx(with_siren, abs=1e-12)


def test_the_markov_networks_four_questions(parts):
    assert "I _|_ F: no; not cut: I - G - C - D - F" in parts["1.2"].lines
    assert "B _|_ I | F: no; not cut: B - C - G - I" in parts["1.2"].lines
    assert "A _|_ G | C, E: yes; every path passes C" in parts["1.2"].lines
    assert "B _|_ F | C, D: yes; every path passes C or D" in parts["1.2"].lines
    cliques = "(A, B) (B, C, D) (C, D, E) (D, E, F) (C, G) (F, H) (G, I)"
    assert all(f"phi{clique}" in text(parts["1.2"]) for clique in cliques.replace(") (", ")\0(").split("\0"))


def test_from_a_bayesian_to_a_markov_network(parts):
    answer = text(parts["1.3"])
    assert "Markov blanket of x6: x3, x4, x5, x7" in answer
    assert "The moral graph adds x2-x3 and x4-x6." in answer
    assert "perfect I-map of the Bayesian network? no: the list has x2 _|_ x3 | x1" in answer
    assert "Is it chordal? no: x2 - x4 - x6 - " in answer


def test_no_edge_of_a_perfect_map_can_go(parts):
    tried = [line for line in parts["1.4"].lines if line.startswith("  without")]
    assert len(tried) == 4 + 11
    assert all("an I-map? no: the graph asserts" in line for line in tried)


def test_every_figure_has_a_title_and_a_caption(parts):
    figures = {name: figure for part in parts.values() for name, figure in part.figures.items()}
    assert len(figures) == 5
    for figure in figures.values():
        assert isinstance(figure, Figure)
        assert figure.get_suptitle()
        assert figure.get_supxlabel()


def test_statements_about_several_variables_are_explained_trail_by_trail():
    lines = explained(server_room(), Independence.parse("S, M _|_ A | O"))
    assert lines[0] == "S, M _|_ A | O: no" or lines[0] == "M, S _|_ A | O: no"
    assert lines[1].startswith("  M <- T <- A  is active")
    assert lines[2].startswith("  S <- O -> T <- A  is blocked at O and T")
    assert len(lines) == 3  # no trail runs through S or M


def test_every_trail_is_drawn_active_ones_first():
    first, second = panels_of(server_room(), Independence.parse("S, M _|_ A | O"))
    assert (first.path, first.blocking) == (("M", "T", "A"), [])
    assert (second.path, second.blocking) == (("S", "O", "T", "A"), ["O", "T"])


def test_the_proof_of_the_bonus_speaks_of_both_kinds_of_network():
    proof = answers.why_no_edge_can_go()
    assert all(any(line.startswith(f"- {kind}:") for line in proof) for kind in ("Bayesian", "Markov"))
