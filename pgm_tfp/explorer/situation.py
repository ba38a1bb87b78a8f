"""What a visitor has set, and what follows from it: plain functions, without a page.

A situation is a network with findings and interventions. do(X = x) cuts the edges into X; X is then fixed, so it counts
as given when independence is asked about (Pearl 2009, section 3.2).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple

import networkx as nx

from common.errors import UserError
from pgm_tfp import exact
from pgm_tfp.approximate import MeanField, mean_field
from pgm_tfp.exact import Network
from pgm_tfp.explorer.hybrid import ExactPosterior, hybrid_posterior
from pgm_tfp.independence import Independence, Node, TooManyTrailsError, d_separated, separation, shortest_trails
from pgm_tfp.independence.directed import reason_of
from pgm_tfp.independence.explanation import trails_of
from pgm_tfp.markov import MarkovNetwork
from pgm_tfp.memory import counted
from pgm_tfp.networks import BayesianNetwork
from pgm_tfp.notation import written

MOST_VARIABLES = 100  # that a page shows legibly
MOST_CELLS = 50_000_000  # of all tables of an exact answer: about a second
MOST_COUNTED, MOST_LISTED = 500, 30  # trails between two variables


@dataclass(frozen=True)
class Situation:
    """A network with what is observed and what is set.

    Attributes:
        network: the network.
        seen: findings, by variable the state, or the number if the variable is continuous.
        done: interventions, likewise. No variable is in both.
    """

    network: Network
    seen: Mapping[str, Any] = field(default_factory=dict)
    done: Mapping[str, Any] = field(default_factory=dict)

    def toggled(self, variable: str, value: Any, doing: bool = False) -> "Situation":
        """The situation with a variable observed, or set, at this value; released if that is so already."""
        target = self.done if doing else self.seen
        if variable in target and target[variable] == value:
            return self.released(variable)
        released = self.released(variable)
        if doing:
            return replace(released, done={**released.done, variable: value})
        return replace(released, seen={**released.seen, variable: value})

    def released(self, variable: str) -> "Situation":
        """The situation without any finding about, or intervention on, a variable."""
        seen, done = ({name: at for name, at in some.items() if name != variable} for some in (self.seen, self.done))
        return replace(self, seen=seen, done=done)

    @property
    def given(self) -> frozenset[str]:
        """The variables whose values are fixed."""
        return frozenset([*self.seen, *self.done])

    @cached_property
    def changed(self) -> Network:
        """The network after the interventions."""
        if isinstance(self.network, MarkovNetwork) or not self.done:
            return self.network
        return self.network.do(self.done)

    @property
    def graph(self) -> nx.Graph:
        """The graph after the interventions: no edge leads into a variable that is set."""
        graph = self.network.graph.copy()
        if graph.is_directed():
            graph.remove_edges_from([(parent, name) for name in self.done for parent in graph.predecessors(name)])
        return graph

    def in_words(self) -> str:
        """The findings given the interventions, such as M=True | do(O=False)."""
        done = ", ".join(f"do({written({name: value})})" for name, value in self.done.items())
        return f"{written(self.seen)} | {done}" if done else written(self.seen)

    @property
    def continuous(self) -> list[str]:
        """The variables without states."""
        return [name for name in self.network.graph if name not in self.network.states]


class Way(NamedTuple):
    """One connection between two variables.

    Attributes:
        text: the trail with its arrows, or the path.
        nodes: from one end to the other.
        active: whether information flows along it.
        reason: why it does or does not, as a clause.
        blocking: the nodes that block it.
    """

    text: str
    nodes: tuple[str, ...]
    active: bool
    reason: str
    blocking: tuple[str, ...]


class Relation(NamedTuple):
    """Whether the graph asserts that two variables are independent, and why.

    Attributes:
        verdict: the answer as a sentence.
        ways: the trails, active ones first, or some of them; the verdict says so.
    """

    verdict: str
    ways: list[Way]


def check_size(network: Network, name: str) -> None:
    """Raise UserError, with the cost in words, if a network is too large for a page that answers at once."""
    if len(network.graph) > MOST_VARIABLES:
        raise UserError(
            f"{name} has {len(network.graph)} variables; the page draws {MOST_VARIABLES} legibly; ask about it with "
            "python -m pgm_tfp query"
        )
    if any(variable not in network.states for variable in network.graph):
        return
    cost = exact.cost(network)
    if cost.cells > MOST_CELLS:
        raise UserError(
            f"{name} is too large for answers at once: they take tables of {counted(cost.cells)} cells, up to "
            f"{cost.largest_clique} variables in one, and the page takes up to {counted(MOST_CELLS)}; ask about it "
            "with python -m pgm_tfp query"
        )


def exact_answer(situation: Situation) -> ExactPosterior:
    """The posterior of every variable.

    Raises:
        UserError: the findings are impossible, or the network is too large.
    """
    if situation.continuous:
        assert isinstance(situation.network, BayesianNetwork)
        return hybrid_posterior(situation.network, situation.seen, situation.done)
    network = situation.changed
    marginals = exact.marginals(network, situation.seen)
    probabilities = {name: [*marginal.values()] for name, marginal in marginals.items()}
    return ExactPosterior(probabilities, {}, exact.log_evidence(network, situation.seen))


def mean_field_answer(situation: Situation) -> MeanField:
    """Mean field beside the exact answer.

    Raises:
        UserError: the network has continuous variables, or mean field finds no answer.
    """
    if situation.continuous:
        raise UserError("mean field here is for networks whose variables all have states")
    return mean_field(situation.changed, situation.seen)


def most_probable(situation: Situation) -> tuple[dict[str, Any], float]:
    """The most probable states of all variables together, and the log of their joint probability with the findings.

    Raises:
        UserError: the network has continuous variables.
    """
    if situation.continuous:
        raise UserError("the most probable explanation is for networks whose variables all have states")
    return exact.most_probable(situation.changed, situation.seen)


def opened(network: Network, name: str) -> ExactPosterior:
    """The answer with nothing observed, of a network that the page can show.

    Raises:
        UserError: the network is too large, or excludes every joint state.
    """
    check_size(network, name)
    try:
        return exact_answer(Situation(network))
    except MemoryError:
        raise UserError(f"{name} takes more memory than there is") from None


def relation(situation: Situation, x: str, y: str) -> Relation:
    """Whether two variables are independent given what is fixed, with trails and their reasons."""
    for name in (x, y):
        if name in situation.given:
            what = "set" if name in situation.done else "observed"
            return Relation(f"{name} is {what}, so no other variable changes it. Release {name}, or pick another.", [])
    if x == y:
        return Relation("Pick two different variables.", [])
    if situation.graph.is_directed():
        return _directed_relation(situation, x, y)
    shown = separation(situation.graph, x, y, situation.given)
    verdict = _verdict(situation, x, y, shown.separated)
    if not shown.path and not shown.cut:
        return Relation(f"{verdict} No path joins them.", [])
    text = " - ".join(shown.path) if shown.path else f"all paths from {x} to {y}"
    way = Way(text, shown.path or (x, y), not shown.separated, shown.reason, tuple(sorted(shown.cut)))
    return Relation(verdict, [way])


def _directed_relation(situation: Situation, x: str, y: str) -> Relation:
    """The trails between two variables in the graph after the interventions."""
    graph, statement = situation.graph, Independence(x, y, situation.given)
    separate = d_separated(graph, x, y, statement.given)
    verdict = _verdict(situation, x, y, separate)
    try:
        found = trails_of(graph, statement, MOST_COUNTED)
        if len(found) > MOST_LISTED:
            verdict += f" The list has {MOST_LISTED} of {len(found)} trails, active ones first."
    except TooManyTrailsError:
        shortest = shortest_trails(graph, x, y, statement.given, MOST_COUNTED)
        found = sorted(shortest, key=lambda trail: not trail.active)
        verdict += f" More than {MOST_COUNTED} trails join them; the list has some of the shortest."
        if not separate and not found[0].active:
            verdict += " None of these is active; a longer one is."
    if not found:
        verdict += " No trail joins them."

    def why(node: Node) -> str:
        return f"{node.variable} is a {node.kind} and set" if node.variable in situation.done else node.why()

    ways = [
        Way(
            trail.text,
            trail.nodes,
            trail.active,
            reason_of(trail.inner, why),
            tuple(node.variable for node in trail.inner if node.blocks),
        )
        for trail in islice(found, MOST_LISTED)
    ]
    return Relation(verdict, ways)


def _verdict(situation: Situation, x: str, y: str, separate: bool) -> str:
    fixed = [*situation.seen, *(f"do({name})" for name in situation.done)]
    given = f"given {', '.join(fixed)}" if fixed else "with nothing observed"
    return f"{x} and {y} are independent {given}." if separate else f"{x} and {y} can depend on each other {given}."


def first_pair(graph: nx.Graph) -> Sequence[str]:
    """Two variables to ask about first: two parents of one child that no edge joins, or else the first two."""
    if graph.is_directed():
        for child in graph:
            parents = [*graph.predecessors(child)]
            for place, x in enumerate(parents):
                for y in parents[place + 1 :]:
                    if not graph.has_edge(x, y) and not graph.has_edge(y, x):
                        return x, y
    return [*graph][:2]
