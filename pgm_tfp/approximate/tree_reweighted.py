"""Tree-reweighted belief propagation: log p(evidence) between two bounds.

Take forests F_1, ..., F_K, sets of potentials without loops that together contain every potential, and let rho_f be the
share of the forests that contain f. The log of the sum is convex in the log potentials, so by Jensen's inequality

    log sum_x prod_f phi_f(x_f) <= c + 1/K sum_k log sum_x prod_v b_v prod_{f in F_k} b_f / prod_{v in f} b_v

for the beliefs and the constant c of any messages (`propagation.free_energy`). The sums on the right are over forests,
so they are exact, and the bound holds whether the messages have converged or not. Where they have, the sums are one,
and this is the lowest bound for these rho (Wainwright, Jaakkola & Willsky 2005). The ELBO of mean field is the lower
bound.
"""

from collections.abc import Iterator, Sequence
from functools import reduce
from math import inf
from typing import NamedTuple

import networkx as nx
import numpy as np

from pgm_tfp import elimination
from pgm_tfp.approximate.approximation import LOG_ZERO, Approximation, Question, logarithm
from pgm_tfp.approximate.likelihood_weighting import largest_log_weight
from pgm_tfp.approximate.naive_mean_field import ascend
from pgm_tfp.approximate.propagation import (
    FactorGraph,
    Messages,
    factor_graph,
    free_energy,
    propagate,
    variable_beliefs,
)
from pgm_tfp.potentials import Potential
from pgm_tfp.results import LogEvidence

NAME = "tree_reweighted"
EVERY = 1_000  # rounds between two answers
FEWEST_FORESTS = 10
NEARLY_CONVERGED = 1e-4  # the largest change of a probability; the bound holds in any case
LARGEST_EXPONENT = 600.0  # of a ratio of beliefs in float64; beyond it there is no bound
SLACK = 1e-6  # nats, added for rounding


class Forests(NamedTuple):
    """Sets of potentials without loops, all of the same probability.

    Attributes:
        members: of each forest the numbers of its potentials.
        appearances: of each potential the share of the forests that contain it, above zero.
    """

    members: list[list[int]]
    appearances: np.ndarray


def tree_reweighted(question: Question) -> Iterator[Approximation]:
    """Pseudo-marginals, and log p(evidence) between the ELBO of mean field and the tree-reweighted bound."""
    forests = random_forests(question.potentials, np.random.default_rng(question.seed))
    graph = factor_graph(question.potentials, question.hidden, forests.appearances.tolist())
    lower, trivial = ascend(question).elbo, largest_log_weight(question)
    for state in propagate(graph, EVERY, question.patience):
        upper = min(upper_bound(question, graph, forests, state), trivial)
        log_weight = LogEvidence("bounded", lower, max(upper - lower, 0.0))
        yield Approximation(
            NAME,
            question.network,
            question.marginals(variable_beliefs(graph, state)),
            question.errors(None),
            log_weight,
            "" if state.change <= NEARLY_CONVERGED else state.unrest,
            f"rounds: {state.rounds:,}; forests: {len(forests.members)}; the errors of probabilities are unknown",
        )


def random_forests(potentials: Sequence[Potential], random: np.random.Generator) -> Forests:
    """Random forests that together contain every potential, ten at least."""
    members: list[list[int]] = []
    times = np.zeros(len(potentials))
    # One forest of all potentials is enough: then the bound is exact.
    while not members or (not (times == len(members)).all() and (len(members) < FEWEST_FORESTS or not times.all())):
        # Potentials that are in no forest yet come first.
        order = np.lexsort((random.random(len(potentials)), times > 0))
        joined = nx.utils.UnionFind(name for potential in potentials for name in potential.variables)
        forest = []
        for at in order.tolist():
            roots = [joined[name] for name in potentials[at].variables]
            if len(set(roots)) == len(roots):  # its variables are in different trees, so it closes no loop
                joined.union(*roots)
                forest.append(at)
        members.append(forest)
        times[forest] += 1
    return Forests(members, times / len(members))


def upper_bound(question: Question, graph: FactorGraph, forests: Forests, state: Messages) -> float:
    """An upper bound of the log of the sum over the hidden variables, in nats, for any messages."""
    energy, beliefs = free_energy(graph, state), variable_beliefs(graph, state)
    # b_f / prod_{v in f} b_v; one for potentials without variables, whose weight is in the constant
    residual = [Potential((), 1.0)] * len(question.potentials)
    for group, log_beliefs in zip(graph.groups, energy.log_factor_beliefs, strict=True):
        for number, members, log_belief in zip(
            group.numbers, group.members.T, np.moveaxis(log_beliefs, -1, 0), strict=True
        ):
            logs = log_belief - reduce(np.add.outer, [logarithm(beliefs[member]) for member in members])
            values = np.where(log_belief > LOG_ZERO / 2, np.exp(np.minimum(logs, LARGEST_EXPONENT)), 0.0)
            residual[number] = Potential([question.hidden[member] for member in members], values)
            if (logs[log_belief > LOG_ZERO / 2] > LARGEST_EXPONENT).any():
                return inf
    unary = [Potential((name,), belief) for name, belief in zip(question.hidden, beliefs, strict=True)]
    sums = [elimination.log_sum([*unary, *(residual[at] for at in forest)]) for forest in forests.members]
    return energy.value + float(np.mean(sums)) + SLACK
