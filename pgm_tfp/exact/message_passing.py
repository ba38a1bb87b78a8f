"""The posterior of every clique of a junction tree, for one row of findings or for many at once.

A message is a clique's weights summed over the variables that the receiver does not have. Messages towards the root
collect the findings. Messages back distribute them; each is divided by the message that the receiving clique had sent.
Then every clique holds the posterior of its variables (Jensen, Lauritzen & Olesen 1990, "Hugin" propagation).

In a large tree, the table of a large clique is made from its factors twice: for its message to the parent, and for
those to its children. It is not kept in between.

Findings enter as likelihoods. Rows in which different variables are observed can therefore go through the same tree
together, along the last axis of all arrays. Each row's messages are divided by their largest entry, so that long
products of small numbers stay within float64. Where an entry leaves float64's range nevertheless, all messages are
computed again with logarithms.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from math import prod
from typing import NamedTuple

import numpy as np

from pgm_tfp.exact.junction_tree import CliquePotentials, is_kept
from pgm_tfp.potentials import LOG_SUM_PRODUCT, Semiring, in_float64_range

ROWS = -1  # the axis of the rows of findings


Read = Callable[[int, np.ndarray], object]  # gets the number of a clique and its posterior


class Marginals(NamedTuple):
    """The posteriors of all variables.

    Attributes:
        variables: the posterior of each variable, (states, rows).
        log_weight: as `propagate` gives it, (rows,).
    """

    variables: dict[str, np.ndarray]
    log_weight: np.ndarray


def marginals(potentials: CliquePotentials, likelihoods: Mapping[str, np.ndarray], rows: int = 1) -> Marginals:
    """The posterior of every variable given each row of findings.

    Args:
        likelihoods, rows: as for `propagate`.
    """
    homed: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for variable, (clique, axis) in potentials.tree.homes.items():
        homed[clique].append((variable, axis))
    found: dict[str, np.ndarray] = {}

    def read(clique: int, belief: np.ndarray) -> None:
        for variable, axis in homed[clique]:
            found[variable] = belief.sum(tuple(other for other in range(belief.ndim - 1) if other != axis))

    log_weight = propagate(potentials, likelihoods, rows, read)
    # One column stands for all rows where no finding can change the posterior.
    shape = {variable: (len(values), rows) for variable, values in found.items()}
    return Marginals(
        {variable: np.broadcast_to(found[variable], shape[variable]) for variable in potentials.tree.homes}, log_weight
    )


def propagate(potentials: CliquePotentials, likelihoods: Mapping[str, np.ndarray], rows: int, read: Read) -> np.ndarray:
    """Send all messages, for each row of findings.

    Args:
        likelihoods: by observed variable, (states, rows): p(finding | state), all ones in rows without a finding.
        rows: the number of rows.
        read: gets the number of each clique and the posterior of its variables, (states of each variable..., rows), or
            1 in place of rows where no finding can change the posterior. The array is not kept. If float64's range was
            left, `read` gets all cliques again, and only the last array of a clique counts.

    Returns:
        The log of the sum of the product of all potentials and of the row's likelihoods, (rows,), in nats; -inf where
        the row's findings are impossible, and then the row's posteriors have no meaning.
    """
    if potentials.logarithms:
        return _sent(potentials, likelihoods, rows, read, LOG_SUM_PRODUCT)
    return in_float64_range(lambda semiring: _sent(potentials, likelihoods, rows, read, semiring))


def _sent(
    potentials: CliquePotentials,
    likelihoods: Mapping[str, np.ndarray],
    rows: int,
    read: Read,
    semiring: Semiring,
) -> np.ndarray:
    _, divide, total, hold, log, _ = semiring
    tree = potentials.tree
    received: list[list[np.ndarray]] = [[] for _ in tree.cliques]  # likelihoods and messages, shaped for the clique
    for variable, likelihood in likelihoods.items():
        home, axis = tree.homes[variable]
        shape = [1] * len(tree.cliques[home].shape) + [likelihood.shape[ROWS]]
        shape[axis] = len(likelihood)
        received[home].append(hold(likelihood).reshape(shape))

    log_weight, sent = np.full(rows, potentials.log_scale), dict[int, tuple[np.ndarray, np.ndarray]]()
    kept: dict[int, Table] = {}  # tables that are not made again on the way back
    for index, clique in enumerate(tree.cliques):
        table = Table(potentials, index, semiring)
        for factor in received[index]:
            table.multiply(factor)
        if table.is_kept:
            kept[index] = table
            received[index] = []
        if clique.parent is None:
            weight = total(table.values, tuple(range(table.values.ndim - 1)))
            log_weight = log_weight + log(weight)
            received[index].append(divide(hold(np.ones_like(weight)), weight))
            continue
        message = total(table.values, clique.summed)
        del table
        largest = message.max(tuple(range(message.ndim - 1)))
        log_weight = log_weight + log(largest)
        sent[index] = divide(message, largest, message), largest
        received[clique.parent].append(message.reshape(clique.in_parent))

    for index in range(len(tree.cliques) - 1, -1, -1):
        table = kept.pop(index) if index in kept else Table(potentials, index, semiring)
        for factor in received[index]:
            table.multiply(factor)
        received[index] = []
        for child in tree.children[index]:
            clique = tree.cliques[child]
            back = total(table.values, clique.summed_by_parent)
            for divisor in sent.pop(child):
                divide(back, divisor, back)
            received[child].append(back.reshape(clique.in_clique))
        read(index, np.exp(table.values) if semiring.logarithms else table.values)
        del table  # before the next one is made
    return log_weight


class Table:
    """The table of a clique, while it is multiplied by what the clique has received.

    Attributes:
        values: (states of each variable..., rows or 1).
        is_kept: whether the table is kept until the messages come back; otherwise it is made again.
    """

    def __init__(self, potentials: CliquePotentials, clique: int, semiring: Semiring):
        self._multiply = semiring.multiply
        first, *others = potentials.factors[clique]
        if semiring.logarithms and not potentials.logarithms:
            first, *others = map(semiring.hold, (first, *others))
        shape = (*potentials.tree.cliques[clique].shape, 1)
        self.is_kept = is_kept(prod(shape), potentials.tree.cells)
        self._own = first.shape != shape or bool(others)  # whether `values` may be written to
        self.values = np.broadcast_to(first, shape).copy() if self._own else first
        for factor in others:
            self.multiply(factor)

    def multiply(self, factor: np.ndarray) -> None:
        """Multiply the table by a factor that broadcasts to it."""
        # A new array of millions of cells takes longer than the product.
        in_place = self._own and self.values.shape[ROWS] >= factor.shape[ROWS]
        self.values = self._multiply(self.values, factor, self.values if in_place else None)
        self._own = True
