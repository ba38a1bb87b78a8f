"""A network compiled for message passing: its junction tree, and one potential for each clique.

The tree depends on the graph and the numbers of states; `tree_of` compiles it. The clique potentials depend on the
network's probabilities or weights, too; `clique_potentials` computes them, and learning does so again for the same tree
whenever these change. `message_passing` sends the messages.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import reduce
from math import prod
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from pgm_tfp import elimination, triangulation
from pgm_tfp.elimination import Cost
from pgm_tfp.exact.evidence import Network
from pgm_tfp.memory import ASK_LESS
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
        hosts: for each potential that the tree was compiled for, the clique that includes its variables; None for a
            potential without variables.
        homes: by variable.
        cells: the number of entries of all cliques' arrays together, for one row of findings.
    """

    cliques: list[Clique]
    hosts: list[int | None]
    homes: dict[str, Home]
    cells: int


class CliquePotentials(NamedTuple):
    """A tree with the product of its potentials, one factor for each clique.

    Attributes:
        tree: the junction tree.
        values: for each clique the product of the potentials that it hosts, (states of each variable..., 1), divided by
            its largest entry.
        log_scale: the logarithm of all these divisors' product, in nats.
        logarithms: whether `values` are logarithms, because plain weights would leave float64's range.
    """

    tree: Tree
    values: list[np.ndarray]
    log_scale: float
    logarithms: bool


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
    return elimination.tree_cost(tree.cliques, elimination.sizes_of(potentials))


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
    elimination.check_cost(purpose, elimination.tree_cost(tree.cliques, sizes), remedy)
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
    return Tree(
        cliques=cliques,
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

    tree, cliques, values = potentials.tree, [], []
    for clique, table in zip(potentials.tree.cliques, potentials.values, strict=True):
        above = () if clique.parent is None else tree.cliques[clique.parent].variables
        cliques.append(
            clique._replace(
                shape=shape_of(clique.variables, clique.shape),
                in_parent=shape_of(above, clique.in_parent),
                in_clique=shape_of(clique.variables, clique.in_clique),
            )
        )
        kept = (slice(states[name], states[name] + 1) if name in states else slice(None) for name in clique.variables)
        values.append(table[(*kept, slice(None))])
    return potentials._replace(
        tree=tree._replace(cliques=cliques, cells=sum(prod(clique.shape) for clique in cliques)), values=values
    )


def _multiplied(tree: Tree, potentials: Sequence[Potential], semiring: Semiring) -> CliquePotentials:
    hosted: list[list[np.ndarray]] = [[] for _ in tree.cliques]
    log_scale = 0.0
    for potential, host in zip(potentials, tree.hosts, strict=True):
        if host is None:
            log_scale += float(semiring.log(semiring.hold(potential.values)))
        else:
            hosted[host].append(semiring.hold(potential.aligned(tree.cliques[host].variables)))
    values = []
    for clique, factors in zip(tree.cliques, hosted, strict=True):
        weights = reduce(semiring.multiply, factors, semiring.hold(np.ones(clique.shape)))
        largest = weights.max()
        log_scale += float(semiring.log(largest))
        values.append(semiring.divide(weights, largest)[..., np.newaxis])
    return CliquePotentials(tree, values, log_scale, semiring.logarithms)


def _axes_outside(scope: Sequence[str], separator: frozenset[str]) -> tuple[int, ...]:
    return tuple(axis for axis, variable in enumerate(scope) if variable not in separator)


def _broadcast_shape(scope: Sequence[str], separator: frozenset[str], sizes: Mapping[str, int]) -> tuple[int, ...]:
    # The last axis, of rows, has whatever length the message has.
    return (*(sizes[variable] if variable in separator else 1 for variable in scope), -1)
