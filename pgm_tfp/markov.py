"""Markov networks: an undirected graph, and potentials over some of its cliques.

    p(x) = 1/Z prod_c phi_c(x_c),    Z = sum_x prod_c phi_c(x_c)

(Koller & Friedman 2009, chapter 4).
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np

from common.errors import UserError, nearest
from pgm_tfp import elimination
from pgm_tfp.conditionals import BINARY, State
from pgm_tfp.graphs import Edge, graph_of, undirected_graph
from pgm_tfp.memory import FLOAT, check_memory
from pgm_tfp.networks import BayesianNetwork, state_index
from pgm_tfp.potentials import Potential

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STRENGTH = 1.0  # the logarithms of random weights are uniform from -1 to 1


class MarkovNetwork:
    """Named variables and the potentials over them.

    Attributes:
        graph: an edge between any two variables that share a potential.
        states: the names of each variable's states.
    """

    def __init__(
        self,
        potentials: Iterable[Potential] | Mapping[tuple[str, ...], Any],
        states: Mapping[str, Sequence[State]] | None = None,
    ):
        """Build a network from potentials.

        Args:
            potentials: `Potential`s, or arrays by the tuple of their variables, one axis for each.
            states: by variable the names of its states. The default is False and True for a binary variable, and 0, 1,
                2, ... for others. The variables named here come first in the graph.

        Raises:
            UserError: a weight is negative or not finite, a potential's weights are all zero, or two potentials give a
                variable different numbers of states.
        """
        if isinstance(potentials, Mapping):
            potentials = [Potential(variables, values) for variables, values in potentials.items()]
        self._potentials = list(potentials)
        sizes: dict[str, int] = {}
        for potential in self._potentials:
            name = f"the potential over ({', '.join(potential.variables)})"
            if not (np.isfinite(potential.values) & (potential.values >= 0)).all() or not potential.values.any():
                raise UserError(f"{name}: weights must be finite and not negative, and at least one above zero")
            for variable, size in potential.sizes.items():
                if sizes.setdefault(variable, size) != size:
                    raise UserError(f"{name}: {variable} has {size} states there, {sizes[variable]} elsewhere")
        named = {variable: tuple(names) for variable, names in (states or {}).items()}
        for variable, names in named.items():
            if variable not in sizes:
                raise UserError(f"states of an unknown variable {variable}; {nearest(variable, sizes)}")
            if len(names) != sizes[variable]:
                raise UserError(f"{variable}: expected names of {sizes[variable]} states, given {len(names)}")
        order = [*named, *(variable for variable in sizes if variable not in named)]
        self.graph: nx.Graph = undirected_graph(elimination.interaction_graph(self._potentials).edges, order)
        self.states: dict[str, tuple[State, ...]] = {
            variable: named.get(variable, BINARY if sizes[variable] == len(BINARY) else tuple(range(sizes[variable])))
            for variable in order
        }

    @classmethod
    def from_edges(cls, edges: Iterable[Edge], variables: Iterable[str] = (), seed: int = 0) -> "MarkovNetwork":
        """A network of binary variables with random potentials, for questions about its graph alone.

        Each maximal clique has one potential. The logarithms of its weights are uniform from -1 to 1. Almost surely the
        distribution then has the independencies that the graph asserts, and no others.

        Raises:
            UserError: an edge joins a variable to itself.
            TooLargeError: a clique's potential would take more memory than there is.
        """
        graph, random = undirected_graph(edges, variables), np.random.default_rng(seed)
        for clique in _maximal_cliques(graph):
            needed = FLOAT * elimination.TEMPORARIES * 2 ** len(clique)
            check_memory(f"the potential of a clique of {len(clique)} variables", needed, "leave edges out")
        return cls(
            {
                clique: np.exp(random.uniform(-STRENGTH, STRENGTH, (2,) * len(clique)))
                for clique in _maximal_cliques(graph)
            },
            dict.fromkeys(graph, BINARY),
        )

    def potentials(self) -> list[Potential]:
        """The potentials, as given."""
        return list(self._potentials)

    @cached_property
    def log_partition(self) -> float:
        """log Z, in nats.

        Raises:
            UserError: Z is zero.
            TooLargeError: the tables would take more memory than there is.
        """
        elimination.check_sums(
            self._potentials, remedy="log Z needs all variables: take a network with fewer of them, or with fewer edges"
        )
        weight = elimination.log_sum(self._potentials)
        if weight == -np.inf:
            raise _nothing_possible()
        return weight

    def draw(self, path: str | Path | None = None, title: str = "") -> "Figure":
        """The graph as a figure; also saved if there is a path such as "room.png", whose suffix chooses the format."""
        from pgm_tfp.diagrams import drawing

        return drawing(self.graph, path, title)

    def factorization(self) -> str:
        """The joint distribution as a formula over maximal cliques, such as 1/Z phi(A, B) phi(B, C, D)."""
        return " ".join(["1/Z", *(f"phi({', '.join(clique)})" for clique in maximal_cliques(self))])

    def joint(self) -> Potential:
        """The joint distribution of all variables as one table, its axes in the order of the graph.

        Raises:
            UserError: Z is zero.
            TooLargeError: the table would take more memory than there is.
        """
        table, weight = elimination.joint(self._potentials, tuple(self.graph))
        if weight == -np.inf:
            raise _nothing_possible()
        return table

    def log_prob(self, assignment: Mapping[str, Any]) -> float:
        """log p(assignment), in nats.

        Raises:
            UserError: a variable is missing or unknown, or a state is.
        """
        for variable in self.states:
            if variable not in assignment:
                raise UserError(
                    f"log_prob needs all variables: {variable} is missing; for some of them use exact.log_evidence"
                )
        index = {variable: state_index(self.states, variable, state) for variable, state in assignment.items()}
        with np.errstate(divide="ignore"):
            weights = [float(np.log(potential.reduced(index).values)) for potential in self._potentials]
        return sum(weights) - self.log_partition

    def _repr_svg_(self) -> str:
        from pgm_tfp.network_svg import network_svg

        return network_svg(self.graph)

    def __repr__(self) -> str:
        return f"MarkovNetwork({self.factorization()})"


def moralize(network: BayesianNetwork) -> MarkovNetwork:
    """The same distribution as a Markov network: its graph is the moral graph, and its potentials are the tables."""
    # answer: a Bayesian network as a Markov network
    return MarkovNetwork(network.potentials(), network.states)
    # end of answer


def maximal_cliques(network: MarkovNetwork | nx.Graph) -> list[tuple[str, ...]]:
    """The maximal cliques; variables and cliques in the order of the network's variables."""
    return _maximal_cliques(graph_of(network))


def is_chordal(network: MarkovNetwork | nx.Graph) -> bool:
    """Whether every cycle of four or more variables has a chord; `graphs.chordless_cycle` finds a cycle without one."""
    return nx.is_chordal(graph_of(network))


def log_partition(network: MarkovNetwork) -> float:
    """log Z, in nats."""
    return network.log_partition


def _nothing_possible() -> UserError:
    return UserError("the potentials exclude every joint state: their product is zero everywhere")


def _maximal_cliques(graph: nx.Graph) -> list[tuple[str, ...]]:
    place = {variable: index for index, variable in enumerate(graph)}
    cliques = [sorted(clique, key=place.__getitem__) for clique in nx.find_cliques(graph)]
    return [tuple(clique) for clique in sorted(cliques, key=lambda clique: [place[variable] for variable in clique])]
