"""Variable elimination: sums and maxima over products of potentials, one variable at a time.

    sum_x prod_i phi_i = prod_{i without x} phi_i * sum_x prod_{i with x} phi_i

so only the potentials that mention x have to be multiplied before x is summed out (Zhang & Poole 1994; Dechter 1999
calls the potentials that mention x the bucket of x). The same holds for maxima. After each step the new potential is
divided by its largest entry, and the logarithms of these entries are added up, so that products of thousands of
probabilities stay within float64. Where an entry leaves float64's range nevertheless, everything is computed again with
logarithms, because later factors can make a tiny weight matter.

The order of elimination determines the size of all tables. It is computed first, and the question is refused if there
is too little memory. Evidence and irrelevant variables have been removed from the potentials before.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from math import prod
from typing import NamedTuple

import networkx as nx
import numpy as np

from pgm_tfp.graphs import edges_within, undirected_graph
from pgm_tfp.memory import ASK_LESS, FLOAT, TooLargeError, check_memory, counted
from pgm_tfp.potentials import (
    LOG_MAX_PRODUCT,
    LOG_SUM_PRODUCT,
    MOST_VARIABLES,
    Potential,
    Semiring,
    held,
    in_float64_range,
    product,
    totalled,
)
from pgm_tfp.triangulation import Elimination, elimination_order

# Peak memory of one multiplication and sum, in arrays of the size of the product: two factors broadcast to it, their
# product less its largest entries, and the exponential of that.
TEMPORARIES = 4


def interaction_graph(potentials: Iterable[Potential]) -> nx.Graph:
    """An edge between any two variables that share a potential."""
    scopes = [potential.variables for potential in potentials]
    return undirected_graph(edges_within(scopes), (variable for scope in scopes for variable in scope))


def sizes_of(potentials: Iterable[Potential]) -> dict[str, int]:
    """The number of states of every variable that a potential mentions."""
    return {variable: size for potential in potentials for variable, size in potential.sizes.items()}


def elimination_of(potentials: Sequence[Potential], last: Collection[str] = ()) -> Elimination:
    """A good order of elimination for these potentials; see `triangulation.elimination_order`."""
    return elimination_order(interaction_graph(potentials), sizes_of(potentials), last)


class Cost(NamedTuple):
    """The size of an exact computation.

    Attributes:
        cells: the number of entries of all tables together.
        bytes: the most memory that tables, messages and intermediate results take at one time.
        largest_clique: the largest number of variables of one table.
    """

    cells: int
    bytes: int
    largest_clique: int


def tree_cost(cliques: Collection[frozenset[str]], sizes: Mapping[str, int]) -> Cost:
    """The cost of sending messages through a junction tree of these cliques.

    Each clique's potential is held up to three times: as plain weights, as logarithms, and multiplied by its messages.
    """
    tables = [prod(sizes[variable] for variable in clique) for clique in cliques]
    return Cost(
        cells=sum(tables),
        bytes=FLOAT * (3 * sum(tables) + TEMPORARIES * max(tables, default=0)),
        largest_clique=max(map(len, cliques), default=0),
    )


def check_cost(purpose: str, cost: Cost, remedy: str = ASK_LESS) -> None:
    """Raise TooLargeError if there is too little memory, or if a table would have more axes than NumPy allows.

    Args:
        purpose: what the tables are for; the first words of the error.
        remedy: what would make the tables smaller; the last words of the error.
    """
    tables = (
        f"{purpose} takes tables of {counted(cost.cells)} cells, up to {cost.largest_clique} variables in one; they"
    )
    check_memory(tables, cost.bytes, remedy)
    if cost.largest_clique > MOST_VARIABLES:
        raise TooLargeError(f"{purpose} takes a table of more than {MOST_VARIABLES} variables; {remedy}")


def check_table(sizes: Mapping[str, int], bytes_per_cell: int) -> None:
    """Raise TooLargeError if the joint table of these variables would be too large."""
    cells = prod(sizes.values())
    check_cost("a joint distribution", Cost(cells, cells * bytes_per_cell, len(sizes)))


def check_sums(potentials: Sequence[Potential], keep: Collection[str] = (), remedy: str = ASK_LESS) -> list[str]:
    """The order in which `sum_out` sums variables out; TooLargeError if that would take too much memory."""
    eliminated, sizes = elimination_of(potentials, last=keep), sizes_of(potentials)
    order = [variable for variable in eliminated.order if variable not in keep]
    cost = tree_cost(eliminated.cliques[: len(order)], sizes)
    # In the worst case, the potentials are held as logarithms, too.
    held = _held_at_once(eliminated, sizes, len(order)) + sum(potential.values.size for potential in potentials)
    check_cost("variable elimination", cost._replace(bytes=FLOAT * held), remedy)
    return order


def check_maximum(potentials: Sequence[Potential]) -> list[str]:
    """The order in which `maximum` eliminates; TooLargeError if all its tables together take too much memory."""
    eliminated = elimination_of(potentials)
    cost = tree_cost(eliminated.cliques, sizes_of(potentials))
    # The weights are logarithms from the start, so they are not held as plain weights, too.
    check_cost("the most probable state", cost._replace(bytes=cost.bytes - FLOAT * cost.cells))
    return eliminated.order


def check_maximum_of_sums(potentials: Sequence[Potential], keep: Collection[str]) -> None:
    """Raise TooLargeError if the maximum over `keep`, all other variables summed out, would take too much memory."""
    eliminated, sizes = elimination_of(potentials, last=keep), sizes_of(potentials)
    kept = [clique for variable, clique in zip(eliminated.order, eliminated.cliques, strict=True) if variable in keep]
    check_cost("the most probable state of these variables", tree_cost(kept, sizes))


def sum_out(potentials: Sequence[Potential], keep: Collection[str] = ()) -> list[Potential]:
    """A product of potentials with all variables but those in `keep` summed out.

    Returns:
        Potentials over some, or none, of the variables in `keep`, whose product is the sum; weights as logarithms.

    Raises:
        TooLargeError: the tables would take more memory than there is.
    """
    order = check_sums(potentials, keep)

    def summed(semiring: Semiring) -> list[Potential]:
        rest, log_scale = _summed([held(potential, semiring) for potential in potentials], order, semiring)
        logs = [Potential(potential.variables, semiring.log(potential.values)) for potential in rest]
        return [*logs, Potential((), log_scale)]

    return in_float64_range(summed)


def log_sum(potentials: Sequence[Potential]) -> float:
    """log of the sum of the product over all variables; -inf if the sum is zero."""
    return float(sum(potential.values for potential in sum_out(potentials)))


def joint(potentials: Sequence[Potential], keep: Sequence[str]) -> tuple[Potential, float]:
    """The normalised table over `keep`, its axes in that order, and the log of the sum over everything.

    Raises:
        TooLargeError: this table, or an intermediate one, would take more memory than there is.
    """
    sizes = sizes_of(potentials)
    check_table({variable: sizes[variable] for variable in keep}, FLOAT * TEMPORARIES)
    logs = product(sum_out(potentials, keep), LOG_SUM_PRODUCT).over(keep)
    highest = float(logs.values.max())
    if highest == -np.inf:
        return Potential(keep, np.zeros_like(logs.values)), -np.inf
    weights = Potential(keep, np.exp(logs.values - highest))
    return weights.normalized(), highest + float(np.log(weights.values.sum()))


def maximum(log_potentials: Sequence[Potential]) -> tuple[dict[str, int], float]:
    """The joint state (indices) with the largest sum of log-potentials, and that sum.

    Variables are eliminated with maxima in place of sums. Then each variable's best state is read from its bucket, in
    reverse order (Dawid 1992).

    Raises:
        TooLargeError: the tables would take more memory than there is.
    """
    order = check_maximum(log_potentials)
    pool, buckets = _Pool(log_potentials), []
    for variable in order:
        bucket = product(pool.take(variable), LOG_MAX_PRODUCT)
        buckets.append((variable, bucket))
        pool.put(totalled(bucket, {variable}, LOG_MAX_PRODUCT))
    best: dict[str, int] = {}
    for variable, bucket in reversed(buckets):
        best[variable] = int(bucket.reduced(best).values.argmax())
    return best, float(sum(potential.values for potential in pool.rest()))


def _summed(potentials: Sequence[Potential], order: Sequence[str], semiring: Semiring) -> tuple[list[Potential], float]:
    """The potentials after these sums, divided by exp(log_scale), and log_scale."""
    pool, log_scale = _Pool(potentials), 0.0
    for variable in order:
        # answer: one step of variable elimination
        summed = totalled(product(pool.take(variable), semiring), {variable}, semiring)
        if not semiring.logarithms and (peak := summed.values.max()) > 0.0:
            summed = Potential(summed.variables, summed.values / peak)
            log_scale += float(np.log(peak))
        pool.put(summed)
        # end of answer
    return pool.rest(), log_scale


def _held_at_once(eliminated: Elimination, sizes: Mapping[str, int], steps: int) -> int:
    """The most cells that summing out holds at one time: results not yet used, and the tables of one step."""
    place = {variable: index for index, variable in enumerate(eliminated.order)}
    waiting, most = 0, 0
    used: dict[int, int] = defaultdict(int)  # by step the cells of earlier results that the step uses
    for step, clique in enumerate(eliminated.cliques[:steps]):
        table = prod(sizes[variable] for variable in clique)
        most = max(most, waiting + TEMPORARIES * table)
        summed = table // sizes[eliminated.order[step]]
        waiting += summed - used.pop(step, 0)
        used[min((place[variable] for variable in clique if place[variable] > step), default=steps)] += summed
    return max(most, 2 * waiting)


class _Pool:
    """A collection of potentials, looked up by the variables that they mention."""

    def __init__(self, potentials: Iterable[Potential]):
        self._potentials: dict[int, Potential] = {}
        self._mentioning: dict[str, set[int]] = {}
        self._next = 0
        for potential in potentials:
            self.put(potential)

    def put(self, potential: Potential) -> None:
        """Add a potential."""
        self._potentials[self._next] = potential
        for variable in potential.variables:
            self._mentioning.setdefault(variable, set()).add(self._next)
        self._next += 1

    def take(self, variable: str) -> list[Potential]:
        """Remove all potentials that mention the variable, and return them."""
        taken = []
        for number in sorted(self._mentioning.pop(variable)):
            potential = self._potentials.pop(number)
            taken.append(potential)
            for other in potential.variables:
                if other != variable:
                    self._mentioning[other].discard(number)
        return taken

    def rest(self) -> list[Potential]:
        """All potentials that have not been taken."""
        return list(self._potentials.values())
