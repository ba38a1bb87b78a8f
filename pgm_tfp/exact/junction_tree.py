"""All posteriors at once, for one set of findings or for many, by message passing on a junction tree.

Every clique holds a table; a message is a clique's table summed over what its neighbour does not have. Messages to
the root collect the evidence, messages back distribute it, divided by what the clique itself had sent; then every
clique holds the posterior of its variables (Jensen, Lauritzen & Olesen 1990). The tree depends on the network alone
and is built once. Findings enter as likelihoods, so that rows with different variables observed go through the same
tree together, along the tables' last axis. Where an entry leaves float64's range, all is done again with logarithms.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from math import prod
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from pgm_tfp import elimination
from pgm_tfp.elimination import Cost
from pgm_tfp.exact.evidence import Network
from pgm_tfp.graphs import JunctionTree, junction_tree
from pgm_tfp.potentials import LOG_SUM_PRODUCT, SUM_PRODUCT, Potential, Semiring

ROWS = -1  # the axis along which tables differ by row of evidence


class Clique(NamedTuple):
    """One clique, with what its messages need. All cliques order their variables alike, so no axis ever moves.

    Attributes:
        table: product of the potentials that live here, (states of each variable..., 1), largest entry one; its
            logarithm if the tree's tables are.
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
        logarithms: are the tables logarithms, for want of range?
    """

    cliques: list[Clique]
    homes: dict[str, Home]
    log_scale: float
    cells: int
    logarithms: bool


class Beliefs(NamedTuple):
    """What a calibrated tree knows.

    Attributes:
        posteriors: by variable, (states, rows).
        log_weight: log of the product's sum given each row's findings, (rows,), in nats; -inf where they are
            impossible, and then the posteriors of that row mean nothing.
    """

    posteriors: dict[str, np.ndarray]
    log_weight: np.ndarray


class Arithmetic(NamedTuple):
    """How to reckon with weights, or with their logarithms.

    Attributes:
        divide: a / b, of the shape of a; where b is zero so is a, and the quotient.
        log: of a weight as it is held.
    """

    semiring: Semiring
    divide: Callable[[np.ndarray, np.ndarray], np.ndarray]
    log: Callable[[np.ndarray], np.ndarray]


def _divided(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.divide(a, b, out=np.zeros(a.shape), where=b != 0.0)


def _subtracted(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.subtract(a, b, out=np.full(a.shape, -np.inf), where=b != -np.inf)


WEIGHTS = Arithmetic(SUM_PRODUCT, _divided, np.log)
LOGARITHMS = Arithmetic(LOG_SUM_PRODUCT, _subtracted, np.asarray)

_compiled: "WeakKeyDictionary[Network, Tree]" = WeakKeyDictionary()


def compiled(network: Network) -> Tree:
    """The network's tree; built at the first call and kept as long as the network.

    Raises:
        TooLargeError: it would take more memory than there is.
    """
    if network not in _compiled:
        _compiled[network] = build(network, network.potentials())
    return _compiled[network]


def cost(network: Network) -> Cost:
    """What the posteriors of all variables take without evidence, known from the order of elimination alone.

    Evidence, and asking about few variables, can make a single question much cheaper.

    Raises:
        UserError: a variable is continuous.
    """
    potentials = network.potentials()
    tree = junction_tree(elimination.elimination_of(potentials))
    return elimination.tree_cost(tree.cliques, elimination.sizes_of(potentials))


def build(network: Network, potentials: Sequence[Potential]) -> Tree:
    """The tree of the network's potentials, some of its variables perhaps sliced out of them.

    Raises:
        TooLargeError: it would take more memory than there is.
    """
    tree = junction_tree(elimination.elimination_of(potentials))
    elimination.check_cost("a junction tree", elimination.tree_cost(tree.cliques, elimination.sizes_of(potentials)))
    try:
        with np.errstate(under="raise", over="raise"):
            return _compile(network, tree, potentials, WEIGHTS)
    except FloatingPointError:
        pass  # the error holds the tables until this block is left
    return _compile(network, tree, [elimination.logarithm(potential) for potential in potentials], LOGARITHMS)


def _compile(network: Network, tree: JunctionTree, potentials: Sequence[Potential], arithmetic: Arithmetic) -> Tree:
    place = {variable: index for index, variable in enumerate(network.graph)}
    sizes = {variable: len(states) for variable, states in network.states.items()}
    scopes = [tuple(sorted(clique, key=place.__getitem__)) for clique in tree.cliques]
    cells = [prod(sizes[variable] for variable in scope) for scope in scopes]

    having: dict[str, list[int]] = defaultdict(list)
    for index in sorted(range(len(scopes)), key=cells.__getitem__):
        for variable in scopes[index]:
            having[variable].append(index)
    homes = {variable: Home(at[0], scopes[at[0]].index(variable)) for variable, at in having.items()}

    living: list[list[Potential]] = [[] for _ in scopes]
    cliques, log_scale = [], 0.0
    for potential in potentials:
        if potential.variables:
            fewest = min((having[variable] for variable in potential.variables), key=len)
            living[next(at for at in fewest if tree.cliques[at].issuperset(potential.variables))].append(potential)
        else:
            with np.errstate(divide="ignore"):
                log_scale += float(arithmetic.log(potential.values))

    for scope, parent, separator, potentials_here in zip(scopes, tree.parents, tree.separators, living, strict=True):
        shape = tuple(sizes[variable] for variable in scope)
        one = np.zeros(shape) if arithmetic.semiring.logarithms else np.ones(shape)
        table = reduce(arithmetic.semiring.multiply, (potential.aligned(scope) for potential in potentials_here), one)
        peak = table.max()
        with np.errstate(divide="ignore"):
            log_scale += float(arithmetic.log(peak))
        above = () if parent is None else scopes[parent]
        cliques.append(
            Clique(
                table=arithmetic.divide(table, peak)[..., np.newaxis],
                parent=parent,
                summed=_axes_outside(scope, separator),
                in_parent=_broadcast_shape(above, separator, sizes),
                summed_by_parent=_axes_outside(above, separator),
                in_clique=_broadcast_shape(scope, separator, sizes),
            )
        )
    return Tree(cliques, homes, log_scale, sum(cells), arithmetic.semiring.logarithms)


def _axes_outside(scope: Sequence[str], separator: frozenset[str]) -> tuple[int, ...]:
    return tuple(axis for axis, variable in enumerate(scope) if variable not in separator)


def _broadcast_shape(scope: Sequence[str], separator: frozenset[str], sizes: Mapping[str, int]) -> tuple[int, ...]:
    return (*(sizes[variable] if variable in separator else 1 for variable in scope), ROWS)


def calibrated(tree: Tree, likelihoods: Mapping[str, np.ndarray], rows: int = 1) -> Beliefs:
    """Collect the findings, distribute them, read all posteriors.

    Args:
        likelihoods: by observed variable, (states, rows): p(what was seen | state), ones in rows where it is missing.
    """
    tables = [clique.table for clique in tree.cliques]
    if not tree.logarithms:
        try:
            with np.errstate(under="raise", over="raise"):
                return _calibrated(tree, tables, likelihoods, rows, WEIGHTS)
        except FloatingPointError:
            pass  # the error holds the tables until this block is left
        with np.errstate(divide="ignore"):
            tables = [np.log(table) for table in tables]
    with np.errstate(divide="ignore"):
        logs = {variable: np.log(likelihood) for variable, likelihood in likelihoods.items()}
    log_posteriors, log_weight = _calibrated(tree, tables, logs, rows, LOGARITHMS)
    return Beliefs({variable: np.exp(logs) for variable, logs in log_posteriors.items()}, log_weight)


def _calibrated(
    tree: Tree, tables: Sequence[np.ndarray], likelihoods: Mapping[str, np.ndarray], rows: int, arithmetic: Arithmetic
) -> Beliefs:
    (multiply, total, _), divide, log = arithmetic
    beliefs = list(tables)
    for variable, likelihood in likelihoods.items():
        home, axis = tree.homes[variable]
        shape = [1] * beliefs[home].ndim
        shape[axis], shape[ROWS] = likelihood.shape
        beliefs[home] = multiply(beliefs[home], likelihood.reshape(shape))

    log_weight, sent = np.full(rows, tree.log_scale), dict[int, np.ndarray]()
    with np.errstate(divide="ignore"):
        for index, clique in enumerate(tree.cliques):
            if clique.parent is None:
                weight = total(beliefs[index], tuple(range(beliefs[index].ndim - 1)))
                log_weight = log_weight + log(weight)
                beliefs[index] = divide(beliefs[index], weight)
                continue
            message = total(beliefs[index], clique.summed)
            sent[index] = message
            # Divided by its largest entry, row by row: long products of small numbers stay within float64.
            peak = message.max(tuple(range(message.ndim - 1)))
            log_weight = log_weight + log(peak)
            message = divide(message, peak).reshape(clique.in_parent)
            beliefs[clique.parent] = multiply(beliefs[clique.parent], message)

    for index in range(len(tree.cliques) - 1, -1, -1):
        clique = tree.cliques[index]
        if clique.parent is not None:
            back = divide(total(beliefs[clique.parent], clique.summed_by_parent), sent.pop(index))
            beliefs[index] = multiply(beliefs[index], back.reshape(clique.in_clique))

    posteriors = {
        variable: total(beliefs[home], tuple(other for other in range(beliefs[home].ndim - 1) if other != axis))
        for variable, (home, axis) in tree.homes.items()
    }
    return Beliefs({name: np.broadcast_to(p, (len(p), rows)) for name, p in posteriors.items()}, log_weight)
