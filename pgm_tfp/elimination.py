"""Variable elimination: sums and maxima over products of potentials, one variable at a time.

    sum_x prod_i phi_i = prod_{i without x} phi_i * sum_x prod_{i with x} phi_i

so only the potentials that mention x have to be multiplied before x goes (Zhang & Poole 1994; Dechter 1999, whose
buckets these are). The same holds of maxima. After each step the new potential is divided by its largest entry, and
the logarithms of these are added up: products of thousands of probabilities stay within float64. Where an entry leaves
it all the same, all is done again with logarithms, for later factors may make much of what looks like nothing.
"""

from collections.abc import Collection, Iterable, Sequence

import networkx as nx
import numpy as np

from pgm_tfp.graphs import Elimination, elimination, factor_graph_edges, undirected_graph
from pgm_tfp.potentials import (
    LOG_MAX_PRODUCT,
    LOG_SUM_PRODUCT,
    SUM_PRODUCT,
    Potential,
    Semiring,
    product,
    totalled,
)


def interaction_graph(potentials: Iterable[Potential]) -> nx.Graph:
    """An edge between any two variables that share a potential."""
    scopes = [potential.variables for potential in potentials]
    return undirected_graph(factor_graph_edges(scopes), (variable for scope in scopes for variable in scope))


def sizes_of(potentials: Iterable[Potential]) -> dict[str, int]:
    """The number of states of every variable that a potential mentions."""
    return {variable: size for potential in potentials for variable, size in potential.sizes.items()}


def elimination_of(potentials: Sequence[Potential], last: Collection[str] = ()) -> Elimination:
    """A good order for these potentials; see `graphs.elimination`."""
    return elimination(interaction_graph(potentials), sizes_of(potentials), last)


def sum_out(potentials: Sequence[Potential], keep: Collection[str] = ()) -> list[Potential]:
    """Sum all variables but those in `keep` out of a product of potentials.

    Returns:
        Potentials over variables in `keep`, or none, whose product is that sum; their weights as logarithms.
    """
    order = [variable for variable in elimination_of(potentials, last=keep).order if variable not in keep]
    try:
        with np.errstate(under="raise", over="raise"):
            rest, log_scale = _summed(potentials, order, SUM_PRODUCT)
        logs = [logarithm(potential) for potential in rest]
    except FloatingPointError:
        logs, log_scale = _summed([logarithm(potential) for potential in potentials], order, LOG_SUM_PRODUCT)
    return [*logs, Potential((), log_scale)]


def logarithm(potential: Potential) -> Potential:
    """The potential with its weights as logarithms."""
    with np.errstate(divide="ignore"):
        return Potential(potential.variables, np.log(potential.values))


def log_sum(potentials: Sequence[Potential]) -> float:
    """log of the sum of the product over all variables; -inf where it is zero."""
    return float(sum(potential.values for potential in sum_out(potentials)))


def joint(potentials: Sequence[Potential], keep: Sequence[str]) -> tuple[Potential, float]:
    """The normalised table over `keep`, its axes in that order, and the log of the sum over everything."""
    logs = product(sum_out(potentials, keep), LOG_SUM_PRODUCT).over(keep)
    highest = float(logs.values.max())
    if highest == -np.inf:
        return Potential(keep, np.zeros_like(logs.values)), -np.inf
    weights = Potential(keep, np.exp(logs.values - highest))
    return weights.normalized(), highest + float(np.log(weights.values.sum()))


def maximum(log_potentials: Sequence[Potential]) -> tuple[dict[str, int], float]:
    """The joint state (indices) with the largest sum of log-potentials, and that sum.

    Elimination with maxima in place of sums; each variable's best state is then read off its bucket, last eliminated
    first (Dawid 1992).
    """
    order = elimination_of(log_potentials).order
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
    """What is left of the potentials, divided by exp(log_scale), and log_scale."""
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


class _Pool:
    """Potentials by the variables that they mention."""

    def __init__(self, potentials: Iterable[Potential]):
        self._potentials: dict[int, Potential] = {}
        self._mentioning: dict[str, set[int]] = {}
        self._next = 0
        for potential in potentials:
            self.put(potential)

    def put(self, potential: Potential) -> None:
        self._potentials[self._next] = potential
        for variable in potential.variables:
            self._mentioning.setdefault(variable, set()).add(self._next)
        self._next += 1

    def take(self, variable: str) -> list[Potential]:
        """Remove and return all potentials that mention the variable."""
        taken = []
        for number in sorted(self._mentioning.pop(variable)):
            potential = self._potentials.pop(number)
            taken.append(potential)
            for other in potential.variables:
                if other != variable:
                    self._mentioning[other].discard(number)
        return taken

    def rest(self) -> list[Potential]:
        return list(self._potentials.values())
