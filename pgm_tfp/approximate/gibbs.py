"""Gibbs sampling with evidence: many chains at once, all variables that share no potential together.

Each step draws a block of variables from its distribution given all others,

    p(x_b | rest) ~ prod_{c that meets b} phi_c(x_b, rest)

(Geman & Geman 1984). A block is one variable, or several that share potentials with zeros: between blocks all weights
are positive, so every chain can reach every possible state. The estimate of a probability is the mean of
p(x_b | rest), which varies less than the states themselves (Gelfand & Smith 1990, "Rao-Blackwellised").

In a Bayesian network, variables without observed descendants do not change the others' probabilities. They are drawn
from their own tables, parents first.

The first half of each chain is thrown away. The chains are independent, so their means give the standard error,
whatever the correlation inside a chain is. R-hat compares the halves of all chains (Gelman & Rubin 1992; Vehtari et al.
2021).
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import networkx as nx
import numpy as np
import scipy.sparse as sp

from common.errors import UserError
from pgm_tfp.approximate.approximation import Approximation, Question, check_room, impossible, logarithm
from pgm_tfp.exact.evidence import conditioned
from pgm_tfp.memory import FLOAT
from pgm_tfp.networks import BayesianNetwork
from pgm_tfp.potentials import Potential
from pgm_tfp.results import LogEvidence

NAME = "gibbs"
CHAINS = 64
SEGMENTS = 8  # a chain is stored as the sums of this many equal parts, or of fewer
FEWEST_SEGMENTS = 5  # for an answer; two or more in the second half
FIRST_SEGMENT = (
    16,
    128,
)  # sweeps of a segment at the start, from large to small networks; it doubles when all are full
FIRST_WORK = 2 * 10**7  # of all segments at the start, between these
MOST_WORK = 2 * 10**8  # weights that are looked up, after which the method gives up
CALLS = 4_000  # the time of a sweep's calls, in weights that could be looked up in that time
MOST_STATES = 2**12  # of one block
LARGEST_R_HAT, FEWEST_EFFECTIVE = 1.01, 400  # Vehtari et al. 2021, section 4
TEMPORARIES = 6  # arrays of the size of the weights that one step looks up
CERTAIN = 1e-12  # a smaller variance is due to rounding


class TooManyStatesError(UserError):
    """A block has too many joint states to list."""


class Block(NamedTuple):
    """Variables that are drawn together.

    Attributes:
        members: their numbers, (members,).
        states: the joint states whose weight is not excluded by a potential inside the block, (members, states).
    """

    members: np.ndarray
    states: np.ndarray


class Sweep(NamedTuple):
    """Blocks of the same number of states that share no potential, so that they are drawn at the same time.

    All potentials' log weights lie in one flat array. The place of a weight is a sum over the potential's variables of
    stride times state.

    Attributes:
        blocks: which blocks, (blocks,).
        strides: (potentials of these blocks, all variables), zero for the variables of the block itself.
        offsets: where each potential begins, (potentials of these blocks,).
        shifts: the part of the place that the block's own state adds, (potentials of these blocks, states).
        first: the first potential of each block, (blocks,).
        members: all variables of these blocks, (variables of these blocks,).
        owners: the place of each one's block among these blocks, (variables of these blocks,).
        states: each one's state in each state of its block, (variables of these blocks, states).
    """

    blocks: np.ndarray
    strides: sp.csr_array
    offsets: np.ndarray
    shifts: np.ndarray
    first: np.ndarray
    members: np.ndarray
    owners: np.ndarray
    states: np.ndarray


class Sampler(NamedTuple):
    """Everything that a sweep needs.

    Attributes:
        blocks: the blocks.
        sweeps: sets of blocks that are drawn together, one after the other.
        log_weights: of all potentials, flat.
        work: of one sweep of all chains, in weights that are looked up.
    """

    blocks: list[Block]
    sweeps: list[Sweep]
    log_weights: np.ndarray
    work: int


def gibbs(question: Question) -> Iterator[Approximation]:
    """Probabilities from Gibbs chains, with standard errors; it does not know log p(evidence).

    Raises:
        UserError: potentials with zeros join too many states in one block, or the evidence is impossible.
    """
    sampler, random = compiled(question), np.random.default_rng(question.seed)
    codes = np.zeros((len(question.hidden), CHAINS), np.int64)
    for block in sampler.blocks:
        codes[block.members] = block.states[:, random.integers(block.states.shape[1], size=CHAINS)]
    # Half of the chains begin with the last blocks, so that not all go where the first block goes.
    for sweeps, part in ((sampler.sweeps, slice(CHAINS // 2)), (sampler.sweeps[::-1], slice(CHAINS // 2, CHAINS))):
        for sweep in sweeps:
            draw(sampler, sweep, codes[:, part], random)
    least, most_first = FIRST_SEGMENT
    length = min(most_first, max(least, FIRST_WORK // (SEGMENTS * max(1, sampler.work))))
    sums = list[list[np.ndarray]]()
    most = max(4 * SEGMENTS, question.patience * MOST_WORK / max(1, sampler.work))
    done = 0
    while True:
        while len(sums) < SEGMENTS:
            sums.append(_segment(sampler, codes, length, random))
            done += length
            if len(sums) >= FEWEST_SEGMENTS:
                answer = _answer(question, sampler, sums, length)
                yield answer
        if done >= most or (answer.converged and answer.largest_error() <= question.error):
            return
        # Segments are twice as long from here, and two neighbours become one.
        length *= 2
        sums = [[a + b for a, b in zip(*pair, strict=True)] for pair in zip(sums[::2], sums[1::2], strict=True)]


class Plan(NamedTuple):
    """What is drawn from what.

    Attributes:
        potentials: the product that the chains draw from.
        drawn: the variables in it.
        forward: by each other variable its own table, sliced at the evidence; parents come first.
    """

    potentials: list[Potential]
    drawn: list[str]
    forward: dict[str, Potential]


def plan(question: Question) -> Plan:
    """The variables that need chains, and those that are drawn from their own tables."""
    network, states = question.network, question.findings.states
    if not isinstance(network, BayesianNetwork):
        return Plan(question.potentials, [*question.hidden], {})
    potentials = conditioned(network, question.findings, ())
    present = {name for potential in potentials for name in potential.variables}
    drawn = [name for name in question.hidden if name in present]
    forward = {
        name: Potential((*table.parents, name), table.probabilities).reduced(states)
        for name in question.hidden
        if name not in present
        for table in [network.table(name)]
    }
    return Plan(potentials, drawn, forward)


def blocks_of(question: Question, planned: Plan) -> list[Block]:
    """The blocks of variables that need chains: those that share a potential with zeros are in the same block.

    Raises:
        UserError: a block would have too many states, or none.
    """
    number = {name: at for at, name in enumerate(question.hidden)}
    zeros = [potential for potential in planned.potentials if not potential.values.all()]
    joined = nx.Graph()
    joined.add_nodes_from(planned.drawn)
    for potential in zeros:
        nx.add_path(joined, potential.variables)
    blocks = []
    for component in nx.connected_components(joined):
        members = [name for name in planned.drawn if name in component]
        inside = [potential for potential in zeros if potential.variables and potential.variables[0] in component]
        blocks.append(Block(np.array([number[name] for name in members]), _support(question, members, inside)))
    return blocks


def compiled(question: Question) -> Sampler:
    """The question as arrays for sampling.

    Raises:
        UserError: as `blocks_of`.
    """
    planned = plan(question)
    number = {name: at for at, name in enumerate(question.hidden)}
    blocks = blocks_of(question, planned)
    block_of = {int(member): at for at, block in enumerate(blocks) for member in block.members}
    meets: list[list[Potential]] = [[] for _ in blocks]
    neighbours = nx.Graph()
    neighbours.add_nodes_from(range(len(blocks)))
    for potential in planned.potentials:
        around = {block_of[number[name]] for name in potential.variables}
        for one in around:
            meets[one].append(potential)
        neighbours.add_edges_from((a, b) for a in around for b in around if a < b)
    # The order of drawing: chains by colour, and then the rest by the longest path from them.
    turn = [(0, colour) for _, colour in sorted(nx.greedy_color(neighbours).items())]
    depth: dict[str, int] = {}
    for name, potential in planned.forward.items():
        depth[name] = 1 + max((depth.get(parent, 0) for parent in potential.variables[:-1]), default=0)
        states = np.arange(len(question.network.states[name]))[None]
        blocks.append(Block(np.array([number[name]]), states))
        meets.append([potential])
        turn.append((depth[name], 0))
    together: dict[tuple[tuple[int, int], int], list[int]] = {}
    for at, block in enumerate(blocks):
        together.setdefault((turn[at], block.states.shape[1]), []).append(at)
    weights = _flat([*planned.potentials, *planned.forward.values()])
    sweeps = [
        _sweep([(at, blocks[at], meets[at]) for at in members], weights, number)
        for _, members in sorted(together.items())
    ]
    work = sum(sweep.shifts.size * CHAINS + CALLS for sweep in sweeps)
    stored = SEGMENTS * sum(len(sweep.blocks) * sweep.shifts.shape[1] for sweep in sweeps)
    most = max((sweep.shifts.size for sweep in sweeps), default=0)
    needed = FLOAT * CHAINS * (stored + TEMPORARIES * most)
    check_room(f"gibbs with {CHAINS} chains of {len(question.hidden):,} variables", needed)
    return Sampler(blocks, sweeps, weights.log_values, work)


class Weights(NamedTuple):
    """The log weights of potentials, one after the other.

    Attributes:
        log_values: flat.
        begins: by the identity of a potential, where its weights begin.
    """

    log_values: np.ndarray
    begins: dict[int, int]


def _flat(potentials: Sequence[Potential]) -> Weights:
    ends = np.cumsum([potential.values.size for potential in potentials])
    begins = {id(one): int(end) - one.values.size for one, end in zip(potentials, ends, strict=True)}
    return Weights(np.concatenate([logarithm(one.values).ravel() for one in potentials] or [np.zeros(0)]), begins)


def _support(question: Question, members: Sequence[str], inside: Sequence[Potential]) -> np.ndarray:
    """The joint states of a block that its potentials with zeros do not exclude, (members, states)."""
    states, known, waiting = np.zeros((0, 1), np.int64), list[str](), list(inside)
    for name in members:
        size = len(question.network.states[name])
        states = np.concatenate([np.repeat(states, size, 1), np.tile(np.arange(size), states.shape[1])[None]])
        known.append(name)
        for potential in [one for one in waiting if set(one.variables) <= set(known)]:
            waiting.remove(potential)
            at = tuple(states[known.index(variable)] for variable in potential.variables)
            states = states[:, potential.values[at] > 0.0]
        if len(members) > 1 and states.shape[1] > MOST_STATES:
            raise TooManyStatesError(
                f"gibbs: tables with zeros join {len(members)} variables ({', '.join(members[:3])}, ...) in a block of "
                f"more than {MOST_STATES:,} states; take loopy, or likelihood_weighting for a Bayesian network"
            )
    if not states.shape[1]:
        raise impossible()
    return states


def _sweep(
    members: Sequence[tuple[int, Block, Sequence[Potential]]], weights: Weights, number: dict[str, int]
) -> Sweep:
    rows, columns, strides = list[int](), list[int](), list[int]()
    offsets, shifts, first = list[int](), list[np.ndarray](), list[int]()
    for _, block, around in members:
        first.append(len(offsets))
        own = {int(member): at for at, member in enumerate(block.members)}
        for potential in around:
            shift, step = np.zeros(block.states.shape[1], np.int64), 1
            for name, size in reversed(potential.sizes.items()):
                variable = number[name]
                if variable in own:
                    shift += step * block.states[own[variable]]
                else:
                    rows.append(len(offsets))
                    columns.append(variable)
                    strides.append(step)
                step *= size
            offsets.append(weights.begins[id(potential)])
            shifts.append(shift)
    matrix = sp.csr_array(
        (np.array(strides, np.int64), (np.array(rows, np.int64), np.array(columns, np.int64))),
        shape=(len(offsets), len(number)),
    )
    return Sweep(
        blocks=np.array([at for at, _, _ in members]),
        strides=matrix,
        offsets=np.array(offsets),
        shifts=np.stack(shifts),
        first=np.array(first),
        members=np.concatenate([block.members for _, block, _ in members]),
        owners=np.repeat(np.arange(len(members)), [len(block.members) for _, block, _ in members]),
        states=np.concatenate([block.states for _, block, _ in members]),
    )


def _segment(sampler: Sampler, codes: np.ndarray, length: int, random: np.random.Generator) -> list[np.ndarray]:
    """Sweeps that change the states of all chains in place.

    Args:
        codes: the state of each variable in each chain, (variables, chains).

    Returns:
        For each sweep the sum over the segment of p(block's state | rest), (blocks, states, chains).
    """
    sums = [np.zeros((len(sweep.blocks), sweep.shifts.shape[1], codes.shape[1])) for sweep in sampler.sweeps]
    for _ in range(length):
        for sweep, total in zip(sampler.sweeps, sums, strict=True):
            total += draw(sampler, sweep, codes, random)
    return sums


def draw(sampler: Sampler, sweep: Sweep, codes: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draw the states of some blocks in all chains, in place; p(block's state | rest), (blocks, states, chains)."""
    places = (sweep.strides @ codes + sweep.offsets[:, None])[:, None] + sweep.shifts[:, :, None]
    # log p(x_b | rest) = sum_c log phi_c(x_b, rest) + constant
    logits = np.add.reduceat(sampler.log_weights.take(places), sweep.first, 0)
    weights = np.exp(logits - logits.max(1, keepdims=True))
    cumulative = weights.cumsum(1)
    # The last bound is the sum of all weights, so it is not compared.
    threshold = random.random((len(weights), 1, codes.shape[1])) * cumulative[:, -1:]
    chosen = (cumulative[:, :-1] <= threshold).sum(1)
    codes[sweep.members] = np.take_along_axis(sweep.states, chosen[sweep.owners], 1)
    return weights / cumulative[:, -1:]


def _answer(question: Question, sampler: Sampler, sums: Sequence[Sequence[np.ndarray]], length: int) -> Approximation:
    kept = sums[len(sums) // 2 :]  # the first half is thrown away
    halves = [kept[: len(kept) // 2], kept[len(kept) // 2 :]]
    done = length * len(sums)
    # The means of p(state | rest) in each half of each chain, (2, chains, states) for each variable
    by_variable: list[np.ndarray] = [np.zeros(0)] * len(question.hidden)
    for at, sweep in enumerate(sampler.sweeps):
        means = np.stack([sum(one[at] for one in half) / (length * len(half)) for half in halves])
        for place, number in enumerate(sweep.blocks):
            block = sampler.blocks[number]
            for member, states in zip(block.members, block.states, strict=True):
                of_block = np.moveaxis(means[:, place], 1, 2)
                # The probabilities of the block's states with each state of this variable, added up
                alone = len(block.members) == 1 and block.states.shape[1] == question.sizes[member]
                by_variable[member] = of_block if alone else of_block @ np.eye(question.sizes[member])[states]
    r_hat = max((float(_r_hat(one).max()) for one in by_variable), default=1.0)
    of_chain = [one.mean(0) for one in by_variable]
    probabilities = [one.mean(0) / one.mean(0).sum() for one in of_chain]
    variances = [one.var(0, ddof=1) / CHAINS for one in of_chain]
    effective = min((_effective(p, v) for p, v in zip(probabilities, variances, strict=True)), default=np.inf)
    # States of the rest that no draw reached may change a mean of p(state | rest) by one draw.
    unseen = 1.0 / (CHAINS * length * len(kept))
    errors = [np.sqrt(v + (unseen**2 if len(v) > 1 else 0.0)) for v in variances]
    doubt = ""
    if not r_hat <= LARGEST_R_HAT:
        doubt = f"{CHAINS} chains disagree after {done:,} sweeps: R-hat is {r_hat:.4g}, and {LARGEST_R_HAT} is the most"
    elif effective < FEWEST_EFFECTIVE:
        doubt = f"the chains have an effective sample size of {effective:,.0f}; {FEWEST_EFFECTIVE} are needed"
    unknown = LogEvidence("unknown")
    work = f"{CHAINS} chains of {done:,} sweeps, R-hat {r_hat:.4f}"
    if np.isfinite(effective):
        work += f", effective sample size {effective:,.0f}"
    return Approximation(
        NAME, question.network, question.marginals(probabilities), question.errors(errors), unknown, doubt, work
    )


def _r_hat(means: np.ndarray) -> np.ndarray:
    """R-hat of each state's indicator from the means of half chains, (2, chains, states).

    The variance of an indicator with mean p inside a half chain is p (1 - p).
    """
    half_chains = means.reshape(-1, means.shape[-1])
    within = (half_chains * (1.0 - half_chains)).mean(0)
    between = half_chains.var(0, ddof=1)
    with np.errstate(divide="ignore", over="ignore"):  # chains that are each certain of another state
        ratio = np.divide(between, within, out=np.zeros_like(between), where=between > CERTAIN)
    return np.sqrt(1.0 + ratio)


def _effective(p: np.ndarray, variance: np.ndarray) -> float:
    """The smallest number of independent draws whose mean would have as large a variance."""
    unsure = variance > CERTAIN * p * (1.0 - p)
    return float(np.divide(p * (1.0 - p), variance, out=np.full_like(p, np.inf), where=unsure).min(initial=np.inf))
