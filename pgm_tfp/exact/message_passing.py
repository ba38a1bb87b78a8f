"""The posterior of every clique of a junction tree, for one row of findings or for many at once.

A message is a clique's weights summed over the variables that the receiver does not have. Messages towards the root
collect the findings. Messages back distribute them; each is divided by the message that the receiving clique had sent.
Then every clique holds the posterior of its variables (Jensen, Lauritzen & Olesen 1990, "Hugin" propagation).

Findings enter as likelihoods. Rows in which different variables are observed can therefore go through the same tree
together, along the last axis of all arrays. Each row's messages are divided by their largest entry, so that long
products of small numbers stay within float64. Where an entry leaves float64's range nevertheless, all messages are
computed again with logarithms.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from pgm_tfp.exact.junction_tree import CliquePotentials, Tree
from pgm_tfp.potentials import LOG_SUM_PRODUCT, Semiring, in_float64_range

ROWS = -1  # the axis of the rows of findings


class Beliefs(NamedTuple):
    """The state of a tree after all messages.

    Attributes:
        cliques: for each clique the posterior of its variables, (states of each variable..., rows), or 1 in place of
            rows where no finding can change the posterior.
        log_weight: log of the sum of the product of all potentials and of the row's likelihoods, (rows,), in nats; -inf
            where the row's findings are impossible, and then the row's posteriors have no meaning.
    """

    cliques: list[np.ndarray]
    log_weight: np.ndarray


def calibrated(potentials: CliquePotentials, likelihoods: Mapping[str, np.ndarray], rows: int = 1) -> Beliefs:
    """The posterior of every clique given each row of findings.

    Args:
        likelihoods: by observed variable, (states, rows): p(finding | state), all ones in rows without a finding.
        rows: the number of rows.
    """
    if potentials.logarithms:
        return _calibrated(potentials, likelihoods, rows, LOG_SUM_PRODUCT)
    return in_float64_range(lambda semiring: _calibrated(potentials, likelihoods, rows, semiring))


def marginals_of(tree: Tree, beliefs: Beliefs) -> dict[str, np.ndarray]:
    """The posterior of each variable, (states, rows)."""
    rows = len(beliefs.log_weight)
    marginals = {}
    for variable, (clique, axis) in tree.homes.items():
        belief = beliefs.cliques[clique]
        marginal = belief.sum(tuple(other for other in range(belief.ndim - 1) if other != axis))
        marginals[variable] = np.broadcast_to(marginal, (len(marginal), rows))
    return marginals


def _calibrated(
    potentials: CliquePotentials, likelihoods: Mapping[str, np.ndarray], rows: int, semiring: Semiring
) -> Beliefs:
    _, divide, total, hold, log, _ = semiring
    tree, beliefs = potentials.tree, list(potentials.values)
    if semiring.logarithms and not potentials.logarithms:
        beliefs = [hold(values) for values in beliefs]
    ours = [False] * len(beliefs)  # whether the array is a result of this function, which it may write to

    def multiply(clique: int, factor: np.ndarray) -> None:
        belief = beliefs[clique]
        # A new array of millions of cells takes longer than the product.
        in_place = ours[clique] and belief.shape[ROWS] >= factor.shape[ROWS]
        beliefs[clique] = semiring.multiply(belief, factor, belief if in_place else None)
        ours[clique] = True

    for variable, likelihood in likelihoods.items():
        home, axis = tree.homes[variable]
        shape = [1] * beliefs[home].ndim
        shape[axis], shape[ROWS] = likelihood.shape
        multiply(home, hold(likelihood).reshape(shape))

    log_weight, sent = np.full(rows, potentials.log_scale), dict[int, np.ndarray]()
    for index, clique in enumerate(tree.cliques):
        if clique.parent is None:
            weight = total(beliefs[index], tuple(range(beliefs[index].ndim - 1)))
            log_weight = log_weight + log(weight)
            beliefs[index] = divide(beliefs[index], weight)
            continue
        message = total(beliefs[index], clique.summed)
        sent[index] = message
        largest = message.max(tuple(range(message.ndim - 1)))
        log_weight = log_weight + log(largest)
        message = divide(message, largest).reshape(clique.in_parent)
        multiply(clique.parent, message)

    for index in range(len(tree.cliques) - 1, -1, -1):
        clique = tree.cliques[index]
        if clique.parent is not None:
            back = divide(total(beliefs[clique.parent], clique.summed_by_parent), sent.pop(index))
            multiply(index, back.reshape(clique.in_clique))
    if semiring.logarithms:
        for index, belief in enumerate(beliefs):  # one at a time, to save memory
            beliefs[index] = np.exp(belief)
    return Beliefs(beliefs, log_weight)
