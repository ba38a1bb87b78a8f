"""Random networks, and what exact inference is compared with: every joint state, one at a time, its weight in logs."""

import gzip
import math
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from pgm_tfp import BayesianNetwork, MarkovNetwork, Potential, Table

NAMES = ["A", "B", "C", "wet grass", "E1", "x"]
quickly = settings(max_examples=40, deadline=None)

Network = BayesianNetwork | MarkovNetwork


def log(weight: float) -> float:
    return math.log(weight) if weight > 0 else -math.inf


def log_of_sum(logs: Sequence[float]) -> float:
    highest = max(logs, default=-math.inf)
    if highest == -math.inf:
        return highest
    return highest + math.log(math.fsum(math.exp(value - highest) for value in logs))


class Enumeration(NamedTuple):
    """All joint states that agree with the evidence in some measure.

    Attributes:
        variables: in the order of each joint state.
        logs: log p(joint state, evidence), in nats, by the tuple of its states.
    """

    variables: list[str]
    logs: dict[tuple, float]

    def log_evidence(self) -> float:
        return log_of_sum(list(self.logs.values()))

    def grouped(self, variables: Sequence[str]) -> dict[tuple, float]:
        """log p(variables, evidence), by their states."""
        places = [self.variables.index(variable) for variable in variables]
        groups: dict[tuple, list[float]] = {}
        for joint, weight in self.logs.items():
            groups.setdefault(tuple(joint[place] for place in places), []).append(weight)
        return {states: log_of_sum(weights) for states, weights in groups.items()}

    def posterior(self, variables: Sequence[str]) -> dict[tuple, float]:
        total = self.log_evidence()
        return {states: math.exp(weight - total) for states, weight in self.grouped(variables).items()}

    def marginal(self, variable: str) -> dict[Any, float]:
        return {state: p for (state,), p in self.posterior([variable]).items()}


def factors_of(network: Network) -> list[tuple[tuple[str, ...], np.ndarray]]:
    if isinstance(network, MarkovNetwork):
        return [(potential.variables, potential.values) for potential in network.potentials()]
    return [((*table.parents, name), table.probabilities) for name, table in network.conditionals.items()]


def enumerated(network: Network, evidence: Mapping[str, Any] | None = None) -> Enumeration:
    """The definition: the product of all factors at every joint state, times the likelihood of the evidence, over Z."""
    variables, factors = list(network.states), factors_of(network)
    logs, everything = {}, []
    for indices in product(*(range(len(network.states[variable])) for variable in variables)):
        at = dict(zip(variables, indices, strict=True))
        weight = sum(log(values[tuple(at[variable] for variable in scope)]) for scope, values in factors)
        everything.append(weight)
        states = {variable: network.states[variable][at[variable]] for variable in variables}
        for variable, finding in (evidence or {}).items():
            soft = isinstance(finding, dict)
            weight += log(finding[states[variable]] if soft else float(states[variable] == finding))
        logs[tuple(states.values())] = weight
    log_z = log_of_sum(everything) if isinstance(network, MarkovNetwork) else 0.0
    return Enumeration(variables, {joint: weight - log_z for joint, weight in logs.items()})


@st.composite
def states_of(draw, size: int):
    kinds = [[f"s{index}" for index in range(size)], range(1, size + 1)]
    return tuple(draw(st.sampled_from([*kinds, [False, True]] if size == 2 else kinds)))


def rows(random: np.random.Generator, shape: Sequence[int], zeros: float) -> np.ndarray:
    """Conditional distributions along the last axis, some of their entries zero."""
    weights = random.uniform(0.05, 1.0, shape) * (random.random(shape) >= zeros)
    weights[..., random.integers(shape[-1])] += 0.1  # no row is all zero
    return weights / weights.sum(-1, keepdims=True)


@st.composite
def bayesian_networks(draw, least: int = 2, most: int = 6, share_of_zeros=(0.0, 0.3)) -> BayesianNetwork:
    """Binary and other variables, some with one state; given in any order; tables often with zeros."""
    names = draw(st.permutations(NAMES))[: draw(st.integers(least, most))]
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    zeros = draw(st.sampled_from(share_of_zeros))
    states = {name: draw(states_of(draw(st.sampled_from([2, 2, 2, 3, 3, 1])))) for name in names}
    tables = {}
    for place, name in enumerate(names):
        parents = draw(st.lists(st.sampled_from(names[:place]), max_size=3, unique=True)) if place else []
        shape = [len(states[variable]) for variable in (*parents, name)]
        tables[name] = Table(rows(random, shape, zeros), parents, states[name])
    return BayesianNetwork({name: tables[name] for name in draw(st.permutations(names))})


@st.composite
def markov_networks(
    draw, least: int = 2, most: int = 5, spread: float = 1.0, share_of_zeros=(0.0, 0.3)
) -> MarkovNetwork:
    """Several potentials over overlapping sets, their logarithms between -spread and spread, some weights zero."""
    names = draw(st.permutations(NAMES))[: draw(st.integers(least, most))]
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    states = {name: draw(states_of(draw(st.sampled_from([2, 2, 3, 1])))) for name in names}
    scopes = draw(st.lists(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True), max_size=5))
    possible = {name: random.integers(len(states[name])) for name in names}
    zeros = draw(st.sampled_from(share_of_zeros))
    potentials = []
    for scope in [*scopes, *([name] for name in names)]:
        shape = [len(states[name]) for name in scope]
        values = np.exp(random.uniform(-spread, spread, shape))
        kept = random.random(shape) >= zeros
        kept[tuple(possible[name] for name in scope)] = True
        potentials.append(Potential(scope, values * kept))
    return MarkovNetwork(potentials, states)


@st.composite
def questions(draw, networks=None) -> tuple[Network, dict[str, Any]]:
    """A network and evidence, hard and soft, possible or not."""
    network = draw(networks if networks is not None else st.one_of(bayesian_networks(), markov_networks()))
    evidence: dict[str, Any] = {}
    for variable in draw(st.lists(st.sampled_from(list(network.states)), max_size=3, unique=True)):
        states = network.states[variable]
        if draw(st.integers(0, 3)):
            evidence[variable] = draw(st.sampled_from(states))
        else:
            likelihoods = draw(
                st.lists(st.sampled_from([0.0, 0.2, 1.0, 7.5]), min_size=len(states), max_size=len(states))
            )
            evidence[variable] = dict(
                zip(states, likelihoods if any(likelihoods) else [1.0] * len(states), strict=True)
            )
    return network, evidence


@cache
def pgmpy_model(name: str):
    """A network that pgmpy ships."""
    import pgmpy
    from pgmpy.readwrite import BIFReader

    path = Path(pgmpy.__file__).parent / "utils" / "example_models" / f"{name}.bif.gz"
    return BIFReader(string=gzip.decompress(path.read_bytes()).decode()).get_model()


def long_chain(length: int = 1500, seed: int = 0) -> tuple[BayesianNetwork, dict[str, int]]:
    """A Markov chain of three states, and every other of its variables seen."""
    random = np.random.default_rng(seed)
    tables = {"x0": Table(rows(random, [3], 0.0), states=range(3))}
    for place in range(1, length):
        tables[f"x{place}"] = Table(rows(random, [3, 3], 0.0), [f"x{place - 1}"], range(3))
    return BayesianNetwork(tables), {f"x{place}": int(random.integers(3)) for place in range(0, length, 2)}


def forward(network: BayesianNetwork, evidence: Mapping[str, int], backwards: bool = False) -> list[np.ndarray]:
    """Of a chain: log p(x_i, what is seen up to i), or log p(what is seen after i | x_i), for each i in turn."""
    names = list(network.states)

    def seen(name: str) -> np.ndarray:
        return np.array([0.0 if evidence.get(name, state) == state else -np.inf for state in network.states[name]])

    with np.errstate(divide="ignore"):
        steps = {name: np.log(network.table(name).probabilities) for name in names}
    if backwards:
        messages = [np.zeros(3)]
        for name in reversed(names[1:]):
            after = messages[-1] + seen(name)
            messages.append(np.array([log_of_sum((row + after).tolist()) for row in steps[name]]))
        return messages[::-1]
    messages = [steps[names[0]] + seen(names[0])]
    for name in names[1:]:
        into = [log_of_sum((messages[-1] + column).tolist()) for column in steps[name].T]
        messages.append(np.array(into) + seen(name))
    return messages
