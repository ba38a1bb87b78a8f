"""The assignment's parts 1.1 to 1.4, answered by computation: text and figures for each."""

from collections.abc import Iterable, Iterator

from common.text_section import TextSection
from pgm_tfp import catalogue, exact
from pgm_tfp.conditionals import State
from pgm_tfp.exact import Network
from pgm_tfp.graphs import chordless_cycle
from pgm_tfp.independence import (
    Independence,
    independencies,
    is_i_map,
    is_perfect_map,
    markov_blanket,
    without,
)
from pgm_tfp.independence.explanation import explained, yes_or_no
from pgm_tfp.markov import moralize
from pgm_tfp.notation import written
from pgm_tfp.plots import Panel, graph_panels, probability_bars
from pgm_tfp.plots.independence_panels import panels_of
from pgm_tfp.triangulation import elimination_order, junction_tree, triangulated

SITUATIONS: tuple[dict[str, State], ...] = ({}, {"M": True}, {"M": True, "S": False}, {"M": True, "S": True})


def parts() -> Iterator[TextSection]:
    """The answers to parts 1.1, 1.2, 1.3 and 1.4."""
    yield server_room()
    yield markov_network()
    yield moralization()
    yield edge_deletion()


def server_room() -> TextSection:
    """Part 1.1: the joint distribution, four independencies, and the probability of a broken air conditioning."""
    network = catalogue.server_room()
    statements = [Independence.parse(text) for text in ("O _|_ A", "O _|_ A | M", "S _|_ M", "S _|_ M | O")]
    situations = {written(evidence) or "nothing seen": exact.marginals(network, evidence) for evidence in SITUATIONS}
    lines = [f"p(O, A, T, M, S) = {network.factorization()}", ""]
    for statement in statements:
        lines += [*explained(network, statement), ""]
    lines += ["Is the air conditioning broken? (The hand-out gives no probabilities; these are our choice.)"]
    for name, marginals in situations.items():
        lines.append(f"  P(A | {name}) = {marginals['A'][True]:.4f}")
    lines += [
        "Without the message, the siren says nothing about the air conditioning: T blocks the trail S <- O -> T <- A.",
        "The message activates the trail. A silent siren then makes an open door less probable, and so a broken air",
        "conditioning more probable, because the heat needs a cause.",
    ]
    drawing = graph_panels(
        [Panel(network.graph)],
        "The server room",
        "O: the door stays open. A: the air conditioning fails. T: it is too hot. M: a message. S: the siren.",
    )
    independence = graph_panels(
        [panels_of(network, statement)[0] for statement in statements],
        "What the server room's graph asserts",
        "Grey: observed variables. Blue: an active trail. Orange: a blocked trail; the thick circles block it.",
    )
    bars = probability_bars(
        situations,
        "Is the air conditioning broken?",
        "Probability that each variable is true, before and after evidence, computed exactly.",
    )
    figures = {
        "server_room.png": drawing,
        "server_room_independence.png": independence,
        "server_room_posteriors.png": bars,
    }
    return TextSection("1.1  Server-room monitoring", lines, figures)


def markov_network() -> TextSection:
    """Part 1.2: four independencies of an undirected graph, and its factorisation."""
    network = catalogue.assignment_markov_network()
    statements = [Independence.parse(text) for text in ("I _|_ F", "B _|_ I | F", "A _|_ G | C, E", "B _|_ F | C, D")]
    lines: list[str] = []
    for statement in statements:
        lines += explained(network, statement)
    lines += [
        "  (B _|_ F | C, D is P(B | C, D, F) = P(B | C, D).)",
        "",
        f"p(A, ..., I) = {network.factorization()}",
    ]
    figure = graph_panels(
        [panels_of(network, statement)[0] for statement in statements],
        "What the Markov network's graph asserts",
        "Grey: observed variables. Blue: a path that no observed variable cuts. Orange: variables that cut every path.",
    )
    return TextSection("1.2  Reading a Markov network", lines, {"markov_network_independence.png": figure})


def moralization() -> TextSection:
    """Part 1.3: from a Bayesian to a Markov network, and the independencies that are lost."""
    network = catalogue.assignment_bayesian_network()
    moral = moralize(network)
    joined = {frozenset(edge) for edge in network.graph.edges}
    added = [edge for edge in moral.graph.edges if frozenset(edge) not in joined]
    cycle = chordless_cycle(moral.graph) or []
    perfect = is_perfect_map(moral, independencies(network))
    filled = triangulated(moral.graph)
    tree = junction_tree(elimination_order(moral.graph, dict.fromkeys(moral.graph, 2)))
    lines = [
        f"p(x1, ..., x7) = {network.factorization()}",
        f"Markov blanket of x6: {', '.join(sorted(markov_blanket(network, 'x6')))}",
        f"The moral graph adds {_edges(added)}.",
        f"p(x1, ..., x7) = {moral.factorization()}",
        f"Is it a perfect I-map of the Bayesian network? {yes_or_no(perfect.holds)}: {perfect.reason}.",
        f"Is it chordal? {yes_or_no(not cycle)}: {' - '.join([*cycle, *cycle[:1]])} has no chord.",
        f"Triangulation adds {_edges(e for e in filled.edges if not moral.graph.has_edge(*e))} and gives this junction "
        "tree (clique, separator, next clique):",
    ]
    for clique, parent, separator in zip(tree.cliques, tree.parents, tree.separators, strict=True):
        above = f" -- {{{', '.join(sorted(separator))}}} --> {_set(tree.cliques[parent])}" if parent is not None else ""
        lines.append(f"  {_set(clique)}{above}")
    figure = graph_panels(
        [
            Panel(network.graph, "Bayesian network"),
            Panel(moral.graph, "moral graph", "parents of a common child joined", added=added),
            Panel(moral.graph, "not chordal", "a cycle without a chord", path=[*cycle, *cycle[:1]]),
        ],
        "From a Bayesian network to a Markov network",
        "Dashed: the edges that moralisation adds. Blue: the cycle without a chord.",
    )
    return TextSection("1.3  From a Bayesian network to a Markov network", lines, {"moralization.png": figure})


def edge_deletion() -> TextSection:
    """Part 1.4: a perfect I-map without one of its edges is not an I-map."""
    lines = [*why_no_edge_can_go(), "", "Checked for every edge of both networks above, where L is all that G asserts:"]
    networks: tuple[Network, ...] = (catalogue.server_room(), catalogue.assignment_markov_network())
    for network in networks:
        asserted = independencies(network)
        for edge in network.graph.edges:
            verdict = is_i_map(without(network, edge), asserted)
            sign = "->" if network.graph.is_directed() else "-"
            lines.append(
                f"  without {edge[0]} {sign} {edge[1]}: an I-map? {yes_or_no(verdict.holds)}: {verdict.reason}"
            )
    return TextSection("1.4  Deleting an edge of a perfect I-map", lines, {})


def why_no_edge_can_go() -> list[str]:
    """The proof for part 1.4, for both kinds of network, as lines of text."""
    # answer: why no edge of a perfect I-map can go
    return [
        "G is a perfect I-map of L. G' is G without one edge x - y. Then G' is not an I-map of L, for both kinds of",
        "network: G' asserts x _|_ y given some set of variables. G has the edge and asserts x _|_ y given no set at",
        "all. L is exactly what G asserts, so G' asserts an independence that is not in L.",
        "- Bayesian: let the edge be x -> y. In G', x is neither a descendant nor a parent of y, so G' asserts x _|_ y",
        "  given the remaining parents of y. In G the edge is a trail without inner nodes, so no set blocks it.",
        "- Markov: G' asserts x _|_ y given all other variables. In G the edge is a path that no other variable cuts.",
    ]
    # end of answer


def _set(variables: Iterable[str]) -> str:
    return f"{{{', '.join(sorted(variables))}}}"


def _edges(edges: Iterable[tuple[str, str]]) -> str:
    return " and ".join(sorted("-".join(sorted(edge)) for edge in edges)) or "no edge"
