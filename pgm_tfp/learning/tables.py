"""A network's tables as arrays alone, which is what learning changes: the graph and the states stay."""

from typing import TypeAlias

import numpy as np

from pgm_tfp.conditionals import Table
from pgm_tfp.networks import BayesianNetwork

Tables: TypeAlias = dict[str, np.ndarray]  # by variable: one axis for each parent, in order, its own last


def with_tables(network: BayesianNetwork, tables: Tables) -> BayesianNetwork:
    """The same graph and states with other probabilities."""
    return BayesianNetwork(
        {
            variable: Table(tables[variable], table.parents, table.states)
            for variable in network.conditionals
            for table in [network.table(variable)]
        }
    )


def shapes(network: BayesianNetwork) -> dict[str, tuple[int, ...]]:
    """The shape of each variable's table.

    Raises:
        UserError: a variable has a density in place of a table.
    """
    return {variable: network.table(variable).probabilities.shape for variable in network.conditionals}


def normalized(counts: np.ndarray) -> np.ndarray:
    """Rows of counts as probabilities; a row of nothing but zeros becomes uniform."""
    totals = counts.sum(-1, keepdims=True)
    uniform = np.full(counts.shape, 1.0 / counts.shape[-1])
    return np.divide(counts, totals, out=uniform, where=totals > 0.0)


def random_tables(network: BayesianNetwork, random: np.random.Generator) -> Tables:
    """Tables whose rows are drawn from the flat Dirichlet distribution."""
    return {variable: normalized(random.exponential(size=shape)) for variable, shape in shapes(network).items()}
