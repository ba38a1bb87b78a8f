"""Message passing on a graph with loops: belief propagation and its tree-reweighted form are one algorithm.

Each potential phi_f has an appearance probability rho_f. With messages m_fv from potentials to variables,

    b_v(x_v) ~ prod_f m_fv(x_v)^rho_f
    b_f(x_f) ~ phi_f(x_f)^(1 / rho_f) prod_{v in f} b_v(x_v) / m_fv(x_v)
    m_fv(x_v) ~ sum_{x_f without x_v} b_f(x_f) / (b_v(x_v) / m_fv(x_v))

rho_f = 1 for all f is loopy belief propagation, whose fixed points are those of the Bethe free energy (Yedidia, Freeman
& Weiss 2005, IEEE Transactions on Information Theory 51). If rho_f is the share of forests that contain f, in some
distribution over sets of potentials without loops, a fixed point gives an upper bound of the log of the sum
(Wainwright, Jaakkola & Willsky 2005, IEEE Transactions on Information Theory 51; the proof carries over to potentials
of more variables). The weight of a state of probability zero is exp(-10^6).

Messages change in rounds. A round computes all messages, and changes those that would change most (residual scheduling:
Elidan, McGraw & Koller 2006; in bulk, as Van der Merwe, Joseph & Gopalakrishnan 2019 do).
"""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import NamedTuple

import networkx as nx
import numpy as np
import scipy.sparse as sp

from pgm_tfp.approximate.approximation import LOG_ZERO, check_room, logarithm
from pgm_tfp.memory import FLOAT
from pgm_tfp.potentials import Potential, log_sum_exp

TOLERANCE = 1e-9  # the largest change of a probability in a message at which the messages have converged
MOST_ROUNDS, FEWEST_ROUNDS = 3_000, 300
MOST_CELLS = 10**7  # weights that all rounds together look at, between these numbers of rounds
SHARE_OF_LARGEST = 0.3  # messages change in a round if they would change by this share of the largest change
TEMPORARIES = 8  # arrays of the size of all messages
START_SPREAD = 1.0  # standard deviation of the logarithms of random messages
PATIENCE = 200  # rounds without a new smallest change, after which messages are damped more
DAMPINGS = (0.0, 0.3, 0.6, 0.8, 0.9)  # the share of the old message that is kept, one after the other


class Group(NamedTuple):
    """Potentials of the same shape, along the last axis of all arrays, where sums over states are fast.

    Attributes:
        numbers: of these potentials among all, (potentials,).
        members: the variables of each potential as numbers, (axes, potentials).
        log_values: (states of each axis..., potentials).
        appearance: rho of each potential, (potentials,).
    """

    numbers: np.ndarray
    members: np.ndarray
    log_values: np.ndarray
    appearance: np.ndarray

    @property
    def axes(self) -> int:
        """The number of variables of each potential."""
        return len(self.members)


class FactorGraph(NamedTuple):
    """Potentials grouped by shape, over numbered variables.

    Attributes:
        sizes: the number of states of each variable, (variables,).
        groups: potentials with at least one variable.
        log_scale: the sum of the logarithms of potentials without variables.
        forest: whether the graph has no loops, so that loopy belief propagation is exact.
    """

    sizes: np.ndarray
    groups: list[Group]
    log_scale: float
    forest: bool


class Messages(NamedTuple):
    """Messages and beliefs; states that a variable does not have are `LOG_ZERO`.

    Attributes:
        log_messages: for each group, (axes, most states, potentials).
        log_beliefs: not normalised, (most states, variables).
        change: the largest change of a probability that a further round would make.
        rounds: the number of rounds so far.
    """

    log_messages: list[np.ndarray]
    log_beliefs: np.ndarray
    change: float
    rounds: int

    @property
    def converged(self) -> bool:
        """Whether no message would change any more."""
        return self.change <= TOLERANCE

    @property
    def unrest(self) -> str:
        """How much the messages still change, in words."""
        return f"after {self.rounds:,} rounds the messages still change by {self.change:.2g}"


def factor_graph(
    potentials: Sequence[Potential], variables: Sequence[str], appearances: Sequence[float] | None = None
) -> FactorGraph:
    """The factor graph of these potentials.

    Args:
        variables: every variable of a potential.
        appearances: rho of each potential; one by default.
    """
    number = {name: at for at, name in enumerate(variables)}
    sizes = np.ones(len(variables), np.int64)
    by_shape: dict[tuple[int, ...], list[int]] = {}
    graph = nx.Graph()
    for at, potential in enumerate(potentials):
        by_shape.setdefault(potential.values.shape, []).append(at)
        graph.add_edges_from((at, name) for name in potential.variables)
        for name, size in potential.sizes.items():
            sizes[number[name]] = size
    incidences = sum(len(potential.variables) for potential in potentials)
    needed = FLOAT * TEMPORARIES * (incidences + len(variables)) * int(sizes.max(initial=1))
    check_room(f"messages between {len(potentials):,} tables and {len(variables):,} variables", needed)
    log_scale = sum(float(logarithm(potentials[at].values)) for at in by_shape.pop((), []))
    groups = [
        Group(
            np.array(places),
            np.array([[number[name] for name in potentials[at].variables] for at in places]).T,
            np.stack([logarithm(potentials[at].values) for at in places], -1),
            np.ones(len(places)) if appearances is None else np.array([appearances[at] for at in places]),
        )
        for places in by_shape.values()
    ]
    return FactorGraph(sizes, groups, log_scale, not graph or nx.is_forest(graph))


def propagate(
    graph: FactorGraph, every: int, patience: float = 1.0, random: np.random.Generator | None = None
) -> Iterator[Messages]:
    """The messages after every so many rounds, until they converge or the rounds are used up.

    Args:
        every: how many rounds pass between two states that are yielded.
        patience: multiplies the number of rounds after which it ends.
        random: draws the messages to start with; without it, they are uniform.
    """
    most_rounds = patience * usual_rounds(graph)
    most = int(graph.sizes.max(initial=1))
    outside = np.where(np.arange(most)[:, None] < graph.sizes, 0.0, LOG_ZERO)
    # Column v of the matrix adds up rho_f log m_fv over the potentials of variable v.
    members = np.concatenate([group.members.ravel() for group in graph.groups] or [np.zeros(0, np.int64)])
    weights = np.concatenate([np.tile(group.appearance, group.axes) for group in graph.groups] or [np.zeros(0)])
    adding = sp.csr_array((weights, (members, np.arange(len(members)))), shape=(len(graph.sizes), len(members)))
    messages = [_normalized(_of_members(outside, group)) for group in graph.groups]
    if random is not None:
        messages = [_normalized(one + random.normal(scale=START_SPREAD, size=one.shape)) for one in messages]
    smallest, since, level = np.inf, 0, 0
    for done in count(1):
        beliefs = _beliefs(adding, messages, outside)
        proposed = [_outgoing(group, beliefs, own, outside) for group, own in zip(graph.groups, messages, strict=True)]
        changes = [np.abs(np.exp(new) - np.exp(old)).max(1) for new, old in zip(proposed, messages, strict=True)]
        largest = max((float(change.max()) for change in changes), default=0.0)
        if largest < 0.9 * smallest:
            smallest, since = largest, 0
        elif (since := since + 1) > PATIENCE and level + 1 < len(DAMPINGS):
            smallest, since, level = np.inf, 0, level + 1
        kept = DAMPINGS[level]
        for group_at, (new, change) in enumerate(zip(proposed, changes, strict=True)):
            damped = new if kept == 0.0 else logarithm((1 - kept) * np.exp(new) + kept * np.exp(messages[group_at]))
            moves = change >= SHARE_OF_LARGEST * largest
            messages[group_at] = np.where(moves[:, None], damped, messages[group_at])
        if largest <= TOLERANCE or done % every == 0 or done >= most_rounds:
            yield Messages(list(messages), _beliefs(adding, messages, outside), largest, done)
        if largest <= TOLERANCE or done >= most_rounds:
            return


def usual_rounds(graph: FactorGraph) -> int:
    """The number of rounds that take seconds."""
    cells = sum(group.log_values.size for group in graph.groups)
    return max(FEWEST_ROUNDS, min(MOST_ROUNDS, MOST_CELLS // max(1, cells)))


def variable_beliefs(graph: FactorGraph, state: Messages) -> list[np.ndarray]:
    """The belief of each variable, a distribution over its states."""
    rows = np.exp(_normalized(state.log_beliefs)).T
    return [row[:size] / row[:size].sum() for row, size in zip(rows, graph.sizes, strict=True)]


class FreeEnergy(NamedTuple):
    """The log of the sum, as the messages give it.

    Attributes:
        value: sum_f rho_f A_f + sum_v (1 - sum_{f of v} rho_f) B_v, with the log normalisers A_f and B_v of the
            beliefs; at a fixed point of loopy belief propagation the Bethe approximation of the log of the sum.
        log_factor_beliefs: of each group the log of b_f, (states of each axis..., potentials).
    """

    value: float
    log_factor_beliefs: list[np.ndarray]


def free_energy(graph: FactorGraph, state: Messages) -> FreeEnergy:
    """The log of the sum by the messages, and the beliefs of potentials.

    Whatever the messages are, the product of the potentials is

        exp(value) prod_v b_v prod_f (b_f / prod_{v in f} b_v)^rho_f

    (Wainwright et al. 2005, proposition 1, for this parametrisation).
    """
    log_normalizers = log_sum_exp(state.log_beliefs, (0,))
    total = graph.log_scale + float(log_normalizers.sum())
    beliefs = []
    for group, messages in zip(graph.groups, state.log_messages, strict=True):
        joint = _joint(group, _of_members(state.log_beliefs, group) - messages)
        log_sums = log_sum_exp(joint, tuple(range(group.axes)))
        # rho_f (A_f - sum_{v in f} B_v)
        total += float(group.appearance @ (log_sums - log_normalizers[group.members].sum(0)))
        beliefs.append(joint - log_sums)
    return FreeEnergy(total, beliefs)


def _beliefs(adding: sp.csr_array, messages: Sequence[np.ndarray], outside: np.ndarray) -> np.ndarray:
    """log b_v, not normalised, (most states, variables)."""
    if not messages:
        return outside.copy()
    # (most states, messages), the messages in the order of the matrix
    stacked = np.concatenate([np.moveaxis(one, 1, 0).reshape(len(outside), -1) for one in messages], 1)
    return (adding @ stacked.T).T + outside


def _of_members(rows: np.ndarray, group: Group) -> np.ndarray:
    """Rows of each potential's variables, (axes, most states, potentials), from rows (most states, variables)."""
    return np.moveaxis(rows[:, group.members], 0, 1)


def _joint(group: Group, cavity: np.ndarray) -> np.ndarray:
    """log b_f, not normalised, (states of each axis..., potentials)."""
    # log phi_f / rho_f + sum_{v in f} (log b_v - log m_fv)
    joint = group.log_values / group.appearance
    for axis, rows in enumerate(cavity):
        shape = [1] * group.axes
        shape[axis] = group.log_values.shape[axis]
        joint = joint + rows[: shape[axis]].reshape(*shape, -1)
    return joint


def _outgoing(group: Group, log_beliefs: np.ndarray, messages: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """The messages that a group of potentials would send now, normalised, (axes, most states, potentials)."""
    cavity = _of_members(log_beliefs, group) - messages
    joint = _joint(group, cavity)
    sent = _of_members(outside, group).copy()
    for axis in range(group.axes):
        others = tuple(other for other in range(group.axes) if other != axis)
        states = group.log_values.shape[axis]
        summed = log_sum_exp(joint, others) if others else joint
        sent[axis, :states] = summed - cavity[axis, :states]
    return _normalized(sent)


def _normalized(logs: np.ndarray) -> np.ndarray:
    """Rows whose last axis but one is the states, with exponentials that sum to one."""
    return np.maximum(logs - np.expand_dims(log_sum_exp(logs, (-2,)), -2), LOG_ZERO)
