"""The expected counts of EM: how often each family, a variable with its parents, was in each joint state.

Every family lies in one clique of the junction tree, so its posterior given a row is a sum over that clique's posterior
(Lauritzen 1995). The tree and the rows are prepared once. Every E step computes the clique potentials from the current
parameters, and `exact.message_passing` sends all rows through the tree.

Variables that are never seen, and have no descendant that is seen, sum to one whatever their parameters are (Shachter
1986). They are left out of the tree, and their expected counts are zero.
"""

from collections import defaultdict
from typing import NamedTuple

import networkx as nx
import numpy as np

from common.errors import UserError
from pgm_tfp.exact.junction_tree import CliquePotentials, Tree, clique_potentials, tree_of
from pgm_tfp.exact.message_passing import propagate
from pgm_tfp.exact.rows import MISSING, Observations, distinct_rows, likelihoods_of
from pgm_tfp.learning.family_arrays import FamilyArrays
from pgm_tfp.networks import BayesianNetwork
from pgm_tfp.potentials import Potential, totalled


class Batch(NamedTuple):
    """Distinct rows that go through the tree together.

    Attributes:
        likelihoods: by variable, (states, rows): one for the state seen, or for all states if none was seen.
        times: how many rows of the observations are equal to each, (rows,).
    """

    likelihoods: dict[str, np.ndarray]
    times: np.ndarray


class Families(NamedTuple):
    """A graph and observations, prepared for E steps.

    Attributes:
        scopes: by variable its parents and itself, in the order of the tree's hosts; without the variables that the
            observations say nothing about.
        tree: a junction tree in which every family lies in one clique.
        batches: the observations.
    """

    scopes: dict[str, tuple[str, ...]]
    tree: Tree
    batches: list[Batch]


class Expected(NamedTuple):
    """The result of an E step.

    Attributes:
        counts: by variable the expected number of rows in each joint state of its family; zero where the observations
            say nothing about the family.
        log_weight: log of the sum of the product of all weights given each row, summed over rows, in nats. With a
            network's probabilities as weights, this is the log likelihood of all observations.
    """

    counts: FamilyArrays
    log_weight: float


def compiled_families(network: BayesianNetwork, observations: Observations) -> Families:
    """The network's graph and the observations, prepared for E steps.

    Raises:
        UserError: a variable has no table, a name or a state is unknown, columns differ in length, or there is no row.
        TooLargeError: an E step would take more memory than there is.
    """
    rows = distinct_rows(network, observations)
    if not len(rows.which):
        raise UserError("the observations have no rows; give one or more")
    seen = {variable for variable, codes in rows.codes.items() if (codes != MISSING).any()}
    relevant = seen.union(*(nx.ancestors(network.graph, variable) for variable in seen))
    potentials = network.potentials(variable for variable in network.conditionals if variable in relevant)
    tree = tree_of(
        network, potentials, "an E step on a junction tree", remedy="learn a network of fewer variables or edges"
    )
    rows = rows._replace(codes={variable: codes for variable, codes in rows.codes.items() if variable in seen})
    times = rows.times()
    return Families(
        scopes={potential.variables[-1]: potential.variables for potential in potentials},
        tree=tree,
        batches=[
            Batch(likelihoods_of(network, rows.codes_of(batch)), times[batch]) for batch in rows.batches(tree.cells)
        ],
    )


def expected_counts(families: Families, weights: FamilyArrays) -> Expected:
    """The expected counts of every family, and the log weight of all rows: one E step.

    Args:
        weights: by variable phi(parents, variable), zero or more: probabilities, or the weights that variational EM
            uses in their place.
    """
    potentials = clique_potentials(
        families.tree, [Potential(scope, weights[variable]) for variable, scope in families.scopes.items()]
    )
    counts, log_weight = {variable: np.zeros_like(array) for variable, array in weights.items()}, 0.0
    for batch in families.batches:
        log_weight += _add_counts(families, potentials, batch, counts)
    return Expected(counts, log_weight)


def _add_counts(families: Families, potentials: CliquePotentials, batch: Batch, counts: FamilyArrays) -> float:
    """Add the expected counts of a batch of rows to `counts`; return its log weight."""
    hosted: dict[int, list[str]] = defaultdict(list)
    for variable, host in zip(families.scopes, families.tree.hosts, strict=True):
        assert host is not None  # a family has at least one variable
        hosted[host].append(variable)
    added: FamilyArrays = {}

    def read(host: int, belief: np.ndarray) -> None:
        if host not in hosted:
            return
        clique = families.tree.cliques[host]
        # Where no finding can change the clique's posterior, one column stands for all rows.
        of_each_row = np.broadcast_to(belief, (*clique.shape, len(batch.times)))
        of_all_rows = Potential(clique.variables, of_each_row @ batch.times)
        for variable in hosted[host]:
            scope = families.scopes[variable]
            added[variable] = totalled(of_all_rows, set(clique.variables) - set(scope)).over(scope).values

    log_weight = propagate(potentials, batch.likelihoods, len(batch.times), read)
    for variable, values in added.items():
        counts[variable] += values
    return float(log_weight @ batch.times)
