"""Bayesian networks: a directed acyclic graph, and for each variable a distribution given its parents.

The joint density is the product of these distributions,

    p(x_1, ..., x_n) = prod_i p(x_i | parents of x_i)

(Pearl 1988; Koller & Friedman 2009, chapter 3).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from math import log
from pathlib import Path
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np

from common.errors import UserError, nearest
from pgm_tfp.conditionals import Conditional, Table, log_density, naming
from pgm_tfp.elimination import TEMPORARIES, check_table
from pgm_tfp.graphs import Edge, directed_graph, topological_order
from pgm_tfp.memory import FLOAT, check_memory
from pgm_tfp.potentials import Potential, product
from pgm_tfp.states import State, find_state, places_of

if TYPE_CHECKING:
    import tensorflow_probability as tfp
    from matplotlib.figure import Figure
    from pgmpy.models import DiscreteBayesianNetwork

Assignment = dict[str, Any]


class BayesianNetwork:
    """Named variables, their parents and their conditional distributions.

    Attributes:
        conditionals: by variable its conditional distribution; parents come before children.
        graph: the directed graph, its variables in the same order.
        states: by discrete variable the names of its states.
    """

    def __init__(self, conditionals: Mapping[str, Table | Conditional]):
        """Build a network from conditionals, given in any order.

        Raises:
            UserError: a parent is unknown, the edges form a cycle, or a table has the wrong shape or rows that do not
                sum to one. The message names the variable, what was expected and what was given.
        """
        for variable, conditional in conditionals.items():
            for parent in conditional.parents:
                if parent not in conditionals:
                    raise UserError(f"{variable}: unknown parent {parent}; {nearest(parent, conditionals)}")
            if len(set(conditional.parents)) != len(conditional.parents):
                raise UserError(f"{variable}: parents {', '.join(conditional.parents)} must be named once each")
        edges = [(parent, child) for child, conditional in conditionals.items() for parent in conditional.parents]
        order = topological_order(directed_graph(edges, conditionals))
        self.conditionals: dict[str, Table | Conditional] = {variable: conditionals[variable] for variable in order}
        self.graph: nx.DiGraph = directed_graph(edges, order)
        self.states: dict[str, tuple[State, ...]] = {
            variable: conditional.states
            for variable, conditional in self.conditionals.items()
            if conditional.states is not None
        }
        for variable, conditional in self.conditionals.items():
            if isinstance(conditional, Table):
                for parent in conditional.parents:
                    if parent not in self.states:
                        raise UserError(
                            f"{variable}: a table needs parents with states, and {parent} is continuous; "
                            "use a Conditional instead"
                        )
                conditional.checked(variable, self.states)

    @classmethod
    def from_edges(cls, edges: Iterable[Edge], variables: Iterable[str] = (), seed: int = 0) -> BayesianNetwork:
        """A network of binary variables with random tables, for questions about its graph alone.

        Each P(true | parents) is uniform from 0.1 to 0.9. Almost surely the distribution then has the independencies
        that the graph asserts, and no others.

        Raises:
            UserError: the edges form a cycle.
            TooLargeError: a variable's table would take more memory than there is, because it has many parents.
        """
        graph = directed_graph(edges, variables)
        for child, parents in graph.in_degree():
            needed = FLOAT * TEMPORARIES * 2 ** (parents + 1)
            check_memory(f"the table of {child}, of {parents} parents,", needed, "leave some of them out")
        random = np.random.default_rng(seed)
        return cls(
            {
                child: Table.of_true(random.uniform(0.1, 0.9, (2,) * len(parents)), parents)
                for child in graph
                for parents in [tuple(graph.predecessors(child))]
            }
        )

    @classmethod
    def from_pgmpy(cls, model: DiscreteBayesianNetwork) -> BayesianNetwork:
        """The network of a discrete pgmpy model; the states keep their names.

        Rows whose sum differs slightly from one are normalised. A warning says how many tables had such rows, and the
        largest difference.
        """
        from pgm_tfp.pgmpy_models import tables_of

        return cls(tables_of(model))

    def to_pgmpy(self) -> DiscreteBayesianNetwork:
        """The same network as a pgmpy model."""
        from pgm_tfp.pgmpy_models import model_of

        return model_of({variable: self.table(variable) for variable in self.conditionals})

    def table(self, variable: str) -> Table:
        """The table of a variable.

        Raises:
            UserError: the variable is unknown, or has no table but a density.
        """
        conditional = self.conditionals.get(variable)
        if conditional is None:
            raise UserError(f"unknown variable {variable}; {nearest(variable, self.conditionals)}")
        if not isinstance(conditional, Table):
            raise UserError(f"{variable} has no table; exact inference needs one for every variable")
        return conditional

    def potentials(self, variables: Iterable[str] | None = None) -> list[Potential]:
        """The tables of all variables, or of some, as potentials over (parents, variable)."""
        chosen = self.conditionals if variables is None else variables
        return [
            Potential((*table.parents, variable), table.probabilities)
            for variable in chosen
            for table in [self.table(variable)]
        ]

    def joint(self) -> Potential:
        """The joint distribution of all variables as one table, its axes in the network's order.

        Raises:
            TooLargeError: the table would take more memory than there is.
        """
        potentials = self.potentials()
        check_table({variable: len(states) for variable, states in self.states.items()}, FLOAT * TEMPORARIES)
        return product(potentials).over(tuple(self.conditionals))

    def draw(self, path: str | Path | None = None, title: str = "") -> Figure:
        """The graph as a figure; also saved if there is a path such as "room.png", whose suffix chooses the format."""
        from pgm_tfp.diagrams import drawing

        return drawing(self.graph, path, title)

    def factorization(self) -> str:
        """The joint distribution as a formula, such as P(O) P(A) P(T | O, A)."""
        return " ".join(
            f"P({variable} | {', '.join(conditional.parents)})" if conditional.parents else f"P({variable})"
            for variable, conditional in self.conditionals.items()
        )

    def state_index(self, variable: str, state: State) -> int:
        """The index of a state of a variable.

        Raises:
            UserError: the variable or the state is unknown.
        """
        return state_index(self.states, variable, state)

    def log_prob(self, assignment: Mapping[str, Any]) -> float:
        """log p(assignment), in nats; the log of a density if variables are continuous.

        Args:
            assignment: for every variable a state, or a number if the variable is continuous.

        Raises:
            UserError: a variable is missing or unknown, or a state is.
        """
        for variable in assignment:
            if variable not in self.conditionals:
                raise UserError(f"unknown variable {variable}; {nearest(variable, self.conditionals)}")
        for variable in self.conditionals:
            if variable not in assignment:
                raise UserError(
                    f"log_prob needs all variables: {variable} is missing; for some of them use exact.log_evidence"
                )
        value = {
            variable: self.state_index(variable, state) if variable in self.states else number_of(variable, state)
            for variable, state in assignment.items()
        }
        # answer: the logarithm of the joint
        total = 0.0
        for variable, conditional in self.conditionals.items():
            given: tuple[Any, ...] = tuple(value[parent] for parent in conditional.parents)
            if isinstance(conditional, Table):
                probability = conditional.probabilities[given][value[variable]]
                total += log(probability) if probability > 0.0 else -np.inf
            else:
                with naming(variable):
                    total += float(log_density(conditional(*given), value[variable]))
        return total
        # end of answer

    def joint_distribution(self) -> tfp.distributions.JointDistributionNamedAutoBatched:
        """The network as a joint distribution of TensorFlow Probability.

        A sample is a dictionary from variables to indices of states (int32; 0 is False, 1 is True) or numbers.
        `log_prob` is float64. Use integers as seeds.

        Raises:
            UserError: a variable's name is not a Python identifier; the distribution uses the names as arguments.
        """
        from pgm_tfp.joint_distributions import joint_distribution

        return joint_distribution(self.conditionals)

    def sample(self, n: int, seed: int = 0) -> dict[str, np.ndarray]:
        """Independent random draws of all variables.

        Returns:
            By variable its n states, or numbers (n, *event).
        """
        return {
            variable: _array_of(self.states[variable])[values] if variable in self.states else values
            for variable, values in self.sample_values(n, seed).items()
        }

    def sample_values(self, n: int, seed: int = 0) -> dict[str, np.ndarray]:
        """As `sample`, but with indices of states in place of states."""
        random, drawn = np.random.default_rng(seed), dict[str, np.ndarray]()
        for variable, conditional in self.conditionals.items():
            with naming(variable) if isinstance(conditional, Conditional) else nullcontext():
                drawn[variable] = conditional.sample([drawn[parent] for parent in conditional.parents], n, random)
        return drawn

    def do(self, interventions: Mapping[str, Any]) -> BayesianNetwork:
        """The network after an intervention that sets variables regardless of their parents (Pearl 2009, section 3.2).

        Args:
            interventions: by variable the state, or the number, to which it is set.

        Raises:
            UserError: a variable or a state is unknown, or a number is not finite.
        """
        changed: dict[str, Table | Conditional] = dict(self.conditionals)
        for variable, state in interventions.items():
            if variable not in changed:
                raise UserError(f"unknown variable {variable}; {nearest(variable, changed)}")
            if variable in self.states:
                set_to = np.eye(len(self.states[variable]))[self.state_index(variable, state)]
                changed[variable] = Table(set_to, states=self.states[variable])
            else:
                changed[variable] = Conditional.constant(number_of(variable, state))
        return BayesianNetwork(changed)

    def _repr_svg_(self) -> str:
        from pgm_tfp.network_svg import network_svg

        return network_svg(self.graph)

    def __repr__(self) -> str:
        return f"BayesianNetwork({self.factorization()})"


def state_index(states: Mapping[str, tuple[State, ...]], variable: str, state: State) -> int:
    """The index of a state of a variable; UserError if the variable or the state is unknown."""
    if variable not in states:
        raise UserError(f"unknown variable {variable}; {nearest(variable, states)}")
    place = find_state(states[variable], places_of(states[variable]), state)
    if place is None:
        known = ", ".join(map(str, states[variable]))
        raise UserError(f"{variable} has no state {state}; its states: {known}")
    return place


def number_of(variable: str, value: Any) -> np.ndarray:
    """The value of a continuous variable, a number or an array, as float64; UserError if it is not finite."""
    try:
        number = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        number = np.asarray(np.nan)
    if not np.isfinite(number).all():
        raise UserError(
            f"{variable} is continuous and {value!r} is not a finite number; leave {variable} out if it was not "
            "observed"
        )
    return number


def _array_of(states: tuple[State, ...]) -> np.ndarray:
    """The states as an array of their own types; NumPy would convert numbers to text if some states are text."""
    return np.array(states, None if len({type(state) for state in states}) == 1 else object)
