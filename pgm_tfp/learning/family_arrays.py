"""Arrays with one entry for each state of a variable and its parents: probabilities, counts, concentrations.

A variable together with its parents is its family. Learning keeps the graph and the states, and changes these arrays.
"""

from typing import TypeAlias

import numpy as np

from pgm_tfp.conditionals import Table
from pgm_tfp.networks import BayesianNetwork

# By variable an array with one axis for each parent, in the order of its table's parents, and the variable's own last.
FamilyArrays: TypeAlias = dict[str, np.ndarray]


def with_probabilities(network: BayesianNetwork, probabilities: FamilyArrays) -> BayesianNetwork:
    """A network with the same graph and states, and these probabilities in its tables."""
    return BayesianNetwork(
        {
            variable: Table(probabilities[variable], table.parents, table.states)
            for variable in network.conditionals
            for table in [network.table(variable)]
        }
    )


def family_shapes(network: BayesianNetwork) -> dict[str, tuple[int, ...]]:
    """By variable the numbers of states of its parents and of itself.

    Raises:
        UserError: a variable has a density and no table.
    """
    return {variable: network.table(variable).probabilities.shape for variable in network.conditionals}


def normalized(counts: np.ndarray) -> np.ndarray:
    """Counts divided by their sum over the last axis; uniform where that sum is zero."""
    totals = counts.sum(-1, keepdims=True)
    uniform = np.full(counts.shape, 1.0 / counts.shape[-1])
    return np.divide(counts, totals, out=uniform, where=totals > 0.0)


def random_probabilities(network: BayesianNetwork, random: np.random.Generator) -> FamilyArrays:
    """Conditional probabilities of every variable, each row drawn from the flat Dirichlet distribution."""
    return {variable: normalized(random.exponential(size=shape)) for variable, shape in family_shapes(network).items()}
