"""A network compiled for message passing: its junction tree, and one potential for each clique.

The tree depends on the graph and the numbers of states; `tree_of` compiles it. The clique potentials depend on the
network's probabilities or weights, too; `clique_potentials` computes them, and learning does so again for the same tree
whenever these change. `message_passing` sends the messages.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import reduce
from math import prod
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from pgm_tfp import elimination, triangulation
from pgm_tfp.elimination import Cost
from pgm_tfp.exact.evidence import Network
from pgm_tfp.memory import ASK_LESS, FLOAT
from pgm_tfp.potentials import Potential, Semiring, in_float64_range


class Clique(NamedTuple):
    """One clique, and how its messages change shape.

    All cliques have their variables in the network's order, so messages are reshaped and never transposed. The last
    axis of every array holds rows of findings; it is not counted among the variables' axes.

    Attributes:
        variables: of the clique, one for each axis.
        shape: the number of states of each of them.
        parent: index of the parent, which comes later in the tree's list; None for a root.
        summed: axes that the message to the parent sums over.
        in_parent: shape of that message, to broadcast against the parent's array.
        summed_by_parent: axes of the parent that its message to this clique sums over.
        in_clique: shape of that message, to broadcast against this clique's array.
    """

    variables: tuple[str, ...]
    shape: tuple[int, ...]
    parent: int | None
    summed: tuple[int, ...]
    in_parent: tuple[int, ...]
    summed_by_parent: tuple[int, ...]
    in_clique: tuple[int, ...]


class Home(NamedTuple):
    """Where a variable's findings enter the tree and its marginal is read.

    Attributes:
        clique: a smallest clique that holds the variable.
        axis: the axis of the variable in the clique's table.
    """

    clique: int
    axis: int


class Tree(NamedTuple):
    """A junction tree with the shapes of its messages.

    Attributes:
        cliques: children come before their parents.
        children: for each clique the indices of its children, those with the largest messages first.
        hosts: for each potential that the tree was compiled for, the clique that includes its variables; None for a
            potential without variables.
        homes: by variable.
        cells: the number of entries of all cliques' arrays together, for one row of findings.
    """

    cliques: list[Clique]
    children: list[list[int]]
    hosts: list[int | None]
    homes: dict[str, Home]
    cells: int


class CliquePotentials(NamedTuple):
    """A tree with the product of its potentials, as factors of each clique.

    Attributes:
        tree: the junction tree.
        factors: for each clique the product of the potentials that it hosts, (states of each variable..., 1); where the
            table would be too large to keep (`is_kept`), these potentials apart, (states or 1..., 1). Each array is
            divided by its largest entry.
        log_scale: the logarithm of all these divisors' product, in nats.
        logarithms: whether `factors` are logarithms, because plain weights would leave float64's range.
    """

    tree: Tree
    factors: list[list[np.ndarray]]
    log_scale: float
    logarithms: bool


ALL_KEPT = 50_000_000  # cells of a tree, whose tables are all kept: that is faster, and takes up to a gigabyte
KEPT = 200_000  # cells of a table that is kept in a larger tree; of a larger table the factors are kept

_compiled: "WeakKeyDictionary[Network, CliquePotentials]" = WeakKeyDictionary()


def compiled(network: Network) -> CliquePotentials:
    """The network as clique potentials; computed at the first call and kept as long as the network exists.

    Raises:
        TooLargeError: the cliques' arrays would take more memory than there is.
    """
    if network not in _compiled:
        potentials = network.potentials()
        _compiled[network] = clique_potentials(tree_of(network, potentials), potentials)
    return _compiled[network]


def cost(network: Network) -> Cost:
    """The memory that the posteriors of all variables take without evidence; only the order of elimination is computed.

    Evidence, and asking about few variables, can make a single question much cheaper.

    Raises:
        UserError: a variable is continuous.
    """
    potentials = network.potentials()
    tree = triangulation.junction_tree(elimination.elimination_of(potentials))
    return _cost(tree.cliques, potentials)


def _cost(cliques: Collection[frozenset[str]], potentials: Sequence[Potential]) -> Cost:
    """The cost of sending all messages: tables that are kept are there up to three times, others one at a time."""
    sizes = elimination.sizes_of(potentials)
    cost = elimination.tree_cost(cliques, sizes)
    tables = [prod(sizes[variable] for variable in clique) for clique in cliques]
    kept = sum(table for table in tables if is_kept(table, cost.cells))
    factors = sum(potential.values.size for potential in potentials)
    return cost._replace(bytes=FLOAT * (3 * kept + factors + elimination.TEMPORARIES * max(tables, default=0)))


def is_kept(table: int, tree: int) -> bool:
    """Whether the table of a clique is kept, or its factors: a product of factors takes time, a large table memory.

    Args:
        table: the cells of the clique.
        tree: the cells of all cliques.
    """
    return tree <= ALL_KEPT or table <= KEPT


def tree_of(
    network: Network, potentials: Sequence[Potential], purpose: str = "a junction tree", remedy: str = ASK_LESS
) -> Tree:
    """The junction tree for potentials over some, or all, of the network's variables.

    Args:
        purpose: what the tree is for; the first words of the error.
        remedy: what would make the tree smaller; the last words of the error.

    Raises:
        TooLargeError: the cliques' arrays would take more memory than there is.
    """
    tree = triangulation.junction_tree(elimination.elimination_of(potentials))
    sizes = elimination.sizes_of(potentials)
    elimination.check_cost(purpose, _cost(tree.cliques, potentials), remedy)
    place = {variable: index for index, variable in enumerate(network.graph)}
    scopes = [tuple(sorted(clique, key=place.__getitem__)) for clique in tree.cliques]
    cells = [prod(sizes[variable] for variable in scope) for scope in scopes]

    having: dict[str, list[int]] = defaultdict(list)  # by variable the cliques that have it, smallest first
    for index in sorted(range(len(scopes)), key=cells.__getitem__):
        for variable in scopes[index]:
            having[variable].append(index)

    def host(variables: Sequence[str]) -> int | None:
        if not variables:
            return None
        fewest = min((having[variable] for variable in variables), key=len)
        return next(index for index in fewest if tree.cliques[index].issuperset(variables))

    cliques = []
    for scope, parent, separator in zip(scopes, tree.parents, tree.separators, strict=True):
        above = () if parent is None else scopes[parent]
        cliques.append(
            Clique(
                variables=scope,
                shape=tuple(sizes[variable] for variable in scope),
                parent=parent,
                summed=_axes_outside(scope, separator),
                in_parent=_broadcast_shape(above, separator, sizes),
                summed_by_parent=_axes_outside(above, separator),
                in_clique=_broadcast_shape(scope, separator, sizes),
            )
        )
    children: list[list[int]] = [[] for _ in cliques]
    for index in sorted(range(len(cliques)), key=lambda index: -abs(prod(cliques[index].in_parent))):
        if (parent := cliques[index].parent) is not None:
            children[parent].append(index)
    return Tree(
        cliques=cliques,
        children=children,
        hosts=[host(potential.variables) for potential in potentials],
        homes={variable: Home(at[0], scopes[at[0]].index(variable)) for variable, at in having.items()},
        cells=sum(cells),
    )


def clique_potentials(tree: Tree, potentials: Sequence[Potential]) -> CliquePotentials:
    """The potentials multiplied together, clique by clique.

    Args:
        potentials: over the same variables, and in the same order, as those that the tree was compiled for.
    """
    return in_float64_range(lambda semiring: _multiplied(tree, potentials, semiring))


def sliced(potentials: CliquePotentials, states: Mapping[str, int]) -> CliquePotentials:
    """The same tree for one row of certain findings: each observed variable has one state left, the observed one.

    Every table becomes as many times smaller as its observed variables have states.

    Args:
        states: by observed variable the index of its state.
    """

    def shape_of(scope: Sequence[str], shape: tuple[int, ...]) -> tuple[int, ...]:
        kept = (1 if name in states else size for name, size in zip(scope, shape, strict=False))
        return (*kept, *shape[len(scope) :])  # messages have one more axis, of rows

    tree, cliques, factors = potentials.tree, [], []
    for clique, own in zip(potentials.tree.cliques, potentials.factors, strict=True):
        above = () if clique.parent is None else tree.cliques[clique.parent].variables
        cliques.append(
            clique._replace(
                shape=shape_of(clique.variables, clique.shape),
                in_parent=shape_of(above, clique.in_parent),
                in_clique=shape_of(clique.variables, clique.in_clique),
            )
        )
        factors.append([factor[_slices(clique.variables, factor.shape, states)] for factor in own])
    return potentials._replace(
        tree=tree._replace(cliques=cliques, cells=sum(prod(clique.shape) for clique in cliques)), factors=factors
    )


def _slices(variables: Sequence[str], shape: tuple[int, ...], states: Mapping[str, int]) -> tuple[slice, ...]:
    """The index of a factor at these states, which keeps all axes; where it has no variable, its axis has length 1."""
    return tuple(
        slice(states[name], states[name] + 1) if name in states and size > 1 else slice(None)
        for name, size in zip(variables, shape, strict=False)
    )


def _multiplied(tree: Tree, potentials: Sequence[Potential], semiring: Semiring) -> CliquePotentials:
    hosted: list[list[np.ndarray]] = [[] for _ in tree.cliques]
    log_scale = 0.0
    for potential, host in zip(potentials, tree.hosts, strict=True):
        if host is None:
            log_scale += float(semiring.log(semiring.hold(potential.values)))
        else:
            hosted[host].append(semiring.hold(potential.aligned(tree.cliques[host].variables)))
    scaled = []
    for clique, factors in zip(tree.cliques, hosted, strict=True):
        if is_kept(prod(clique.shape), tree.cells):
            factors = [reduce(semiring.multiply, factors, semiring.hold(np.ones(clique.shape)))]
        own = []
        for weights in factors or [semiring.hold(np.ones([1] * len(clique.shape)))]:
            largest = weights.max()
            log_scale += float(semiring.log(largest))
            own.append(semiring.divide(weights, largest)[..., np.newaxis])
        scaled.append(own)
    return CliquePotentials(tree, scaled, log_scale, semiring.logarithms)


def _axes_outside(scope: Sequence[str], separator: frozenset[str]) -> tuple[int, ...]:
    return tuple(axis for axis, variable in enumerate(scope) if variable not in separator)


def _broadcast_shape(scope: Sequence[str], separator: frozenset[str], sizes: Mapping[str, int]) -> tuple[int, ...]:
    # The last axis, of rows, has whatever length the message has.
    return (*(sizes[variable] if variable in separator else 1 for variable in scope), -1)
