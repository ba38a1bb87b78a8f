"""All posteriors at once, for one set of findings or for many, by message passing on a junction tree.

Every clique holds a table; a message is a clique's table summed over what its neighbour does not have. Messages to
the root collect the evidence, messages back distribute it, divided by what the clique itself had sent; then every
clique holds the posterior of its variables (Jensen, Lauritzen & Olesen 1990). The tree depends on the network alone
and is built once. Findings enter as likelihoods, so that rows with different variables observed go through the same
tree together, along the tables' last axis.
"""

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from pgm_tfp import elimination
from pgm_tfp.exact.evidence import Network
from pgm_tfp.graphs import junction_tree
from pgm_tfp.potentials import Potential

ROWS = -1  # the axis along which tables differ by row of evidence


class Clique(NamedTuple):
    """One clique, with what its messages need. All cliques order their variables alike, so no axis ever moves.

    Attributes:
        table: product of the potentials that live here, (states of each variable..., 1), largest entry one.
        parent: index of the parent, which comes later; None for a root.
        summed: axes that the message to the parent sums over.
        in_parent: shape under which that message broadcasts against the parent's table.
        summed_by_parent: axes of the parent that its message to this clique sums over.
        in_clique: shape under which that message broadcasts against this clique's table.
    """

    table: np.ndarray
    parent: int | None
    summed: tuple[int, ...]
    in_parent: tuple[int, ...]
    summed_by_parent: tuple[int, ...]
    in_clique: tuple[int, ...]


class Home(NamedTuple):
    """Where a variable's findings enter and its posterior is read: a smallest clique with it, and the axis there."""

    clique: int
    axis: int


class Tree(NamedTuple):
    """A network, compiled.

    Attributes:
        cliques: children before their parents.
        homes: by variable.
        log_scale: by how much all cliques' tables were divided, in nats.
        cells: of all cliques' tables together.
    """

    cliques: list[Clique]
    homes: dict[str, Home]
    log_scale: float
    cells: int


class Beliefs(NamedTuple):
    """What a calibrated tree knows.

    Attributes:
        posteriors: by variable, (states, rows).
        log_weight: log of the product's sum given each row's findings, (rows,), in nats; -inf where they are
            impossible, and then the posteriors of that row are zero.
    """

    posteriors: dict[str, np.ndarray]
    log_weight: np.ndarray


_compiled: "WeakKeyDictionary[Network, Tree]" = WeakKeyDictionary()


def compiled(network: Network) -> Tree:
    """The network's tree; built at the first call and kept as long as the network."""
    if network not in _compiled:
        _compiled[network] = _compile(network)
    return _compiled[network]


def _compile(network: Network) -> Tree:
    potentials = network.potentials()
    tree = junction_tree(elimination.elimination_of(potentials))
    place = {variable: index for index, variable in enumerate(network.graph)}
    sizes = {variable: len(states) for variable, states in network.states.items()}
    scopes = [tuple(sorted(clique, key=place.__getitem__)) for clique in tree.cliques]
    cells = [int(np.prod([sizes[variable] for variable in scope])) for scope in scopes]

    having: dict[str, list[int]] = {variable: [] for variable in sizes}
    for index in sorted(range(len(scopes)), key=cells.__getitem__):
        for variable in scopes[index]:
            having[variable].append(index)
    homes = {variable: Home(at[0], scopes[at[0]].index(variable)) for variable, at in having.items()}

    living: list[list[Potential]] = [[] for _ in scopes]
    for potential in potentials:
        if potential.variables:
            fewest = min((having[variable] for variable in potential.variables), key=len)
            living[next(at for at in fewest if tree.cliques[at].issuperset(potential.variables))].append(potential)

    cliques, log_scale = [], 0.0
    for scope, parent, separator, potentials_here in zip(scopes, tree.parents, tree.separators, living, strict=True):
        shape = tuple(sizes[variable] for variable in scope)
        table = reduce(np.multiply, (potential.aligned(scope) for potential in potentials_here), np.ones(shape))
        peak = table.max()
        log_scale += float(np.log(peak))
        above = () if parent is None else scopes[parent]
        cliques.append(
            Clique(
                table=(table / peak)[..., np.newaxis],
                parent=parent,
                summed=_axes_outside(scope, separator),
                in_parent=_broadcast_shape(above, separator, sizes),
                summed_by_parent=_axes_outside(above, separator),
                in_clique=_broadcast_shape(scope, separator, sizes),
            )
        )
    return Tree(cliques, homes, log_scale, sum(cells))


def _axes_outside(scope: Sequence[str], separator: frozenset[str]) -> tuple[int, ...]:
    return tuple(axis for axis, variable in enumerate(scope) if variable not in separator)


def _broadcast_shape(scope: Sequence[str], separator: frozenset[str], sizes: Mapping[str, int]) -> tuple[int, ...]:
    return (*(sizes[variable] if variable in separator else 1 for variable in scope), ROWS)


def calibrated(tree: Tree, likelihoods: Mapping[str, np.ndarray], rows: int = 1) -> Beliefs:
    """Collect the findings, distribute them, read all posteriors.

    Args:
        likelihoods: by observed variable, (states, rows): p(what was seen | state), ones in rows where it is missing.
    """
    beliefs = [clique.table for clique in tree.cliques]
    for variable, likelihood in likelihoods.items():
        home, axis = tree.homes[variable]
        shape = [1] * beliefs[home].ndim
        shape[axis], shape[ROWS] = likelihood.shape
        beliefs[home] = beliefs[home] * likelihood.reshape(shape)

    log_weight, sent = np.full(rows, tree.log_scale), dict[int, np.ndarray]()
    with np.errstate(divide="ignore"):
        for index, clique in enumerate(tree.cliques):
            if clique.parent is None:
                total = beliefs[index].sum(tuple(range(beliefs[index].ndim - 1)))
                log_weight = log_weight + np.log(total)
                beliefs[index] = _divided(beliefs[index], total)
                continue
            message = beliefs[index].sum(clique.summed)
            sent[index] = message
            # Divided by its largest entry, row by row: long products of small numbers stay within float64.
            peak = message.max(tuple(range(message.ndim - 1)))
            log_weight = log_weight + np.log(peak)
            beliefs[clique.parent] = beliefs[clique.parent] * _divided(message, peak).reshape(clique.in_parent)

    for index in range(len(tree.cliques) - 1, -1, -1):
        clique = tree.cliques[index]
        if clique.parent is not None:
            back = _divided(beliefs[clique.parent].sum(clique.summed_by_parent), sent.pop(index))
            beliefs[index] = beliefs[index] * back.reshape(clique.in_clique)

    posteriors = {
        variable: beliefs[home].sum(tuple(other for other in range(beliefs[home].ndim - 1) if other != axis))
        for variable, (home, axis) in tree.homes.items()
    }
    return Beliefs({name: np.broadcast_to(p, (len(p), rows)) for name, p in posteriors.items()}, log_weight)


def _divided(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a / b; where b is zero so is a, and the quotient."""
    return np.divide(a, b, out=np.zeros(np.broadcast_shapes(a.shape, b.shape)), where=b != 0.0)
