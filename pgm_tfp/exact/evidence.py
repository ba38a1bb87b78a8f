"""What has been observed, as a user writes it and as inference needs it."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import networkx as nx
import numpy as np

from common.errors import UserError, nearest
from pgm_tfp.conditionals import State
from pgm_tfp.markov import MarkovNetwork
from pgm_tfp.memory import TooLargeError
from pgm_tfp.networks import BayesianNetwork, state_index
from pgm_tfp.potentials import Potential

Network = BayesianNetwork | MarkovNetwork
# A state that was seen, or for each state the likelihood of what was seen (soft, or virtual, evidence).
Evidence = Mapping[str, State | Mapping[State, float]]


class Findings(NamedTuple):
    """Evidence, read.

    Attributes:
        states: index of the state of each variable that was seen.
        likelihoods: lambda(x) = p(what was seen | x), one potential for each variable with soft evidence (Pearl 1988,
            section 2.2.2).
    """

    states: dict[str, int]
    likelihoods: list[Potential]

    def variables(self) -> set[str]:
        """All variables about which something is known."""
        return {*self.states, *(potential.variables[0] for potential in self.likelihoods)}


def read_evidence(network: Network, evidence: Evidence | None) -> Findings:
    """Look up variables and states.

    Raises:
        UserError: a variable or a state is unknown, or a soft finding is no likelihood.
    """
    findings = Findings({}, [])
    for variable, finding in (evidence or {}).items():
        check_variables(network, [variable])
        if isinstance(finding, Mapping):
            findings.likelihoods.append(_likelihood(network, variable, finding))
        else:
            findings.states[variable] = state_index(network.states, variable, finding)
    return findings


def check_variables(network: Network, variables: Iterable[str]) -> None:
    """Raise UserError at the first variable that has no states in this network."""
    for variable in variables:
        if variable not in network.graph:
            raise UserError(f"unknown variable {variable}; {nearest(str(variable), network.graph)}")
        if variable not in network.states:
            raise UserError(f"{variable} is continuous; exact inference is about variables with states")


def conditioned(network: Network, findings: Findings, about: Iterable[str] | None = None) -> list[Potential]:
    """The potentials whose product, summed over all variables but `about`, is p(about, evidence), times Z.

    Args:
        about: what will be asked; variables of a Bayesian network that are neither asked about nor observed, nor have a
            descendant that is, sum to one and are left out (Shachter 1986). None keeps all.
    """
    about = None if about is None else set(about)
    if about is None or isinstance(network, MarkovNetwork):
        potentials = network.potentials()
    else:
        potentials = network.potentials(_with_ancestors(network.graph, about | findings.variables()))
    # An observed variable that is asked about keeps its axis: it is observed softly, with certainty.
    certain = {variable: state for variable, state in findings.states.items() if variable in (about or ())}
    fixed = {variable: state for variable, state in findings.states.items() if variable not in certain}
    seen = [Potential([variable], np.eye(len(network.states[variable]))[at]) for variable, at in certain.items()]
    return [potential.reduced(fixed) for potential in (*potentials, *findings.likelihoods, *seen)]


def log_normalizer(network: Network) -> float:
    """log of the sum of the product of the network's potentials: that of a Bayesian network is one."""
    return network.log_partition if isinstance(network, MarkovNetwork) else 0.0


def named(network: Network, states: Mapping[str, int]) -> dict[str, State]:
    """Indices of states as their names, in the network's order of variables."""
    return {variable: network.states[variable][states[variable]] for variable in network.graph if variable in states}


def impossible(network: Network, findings: Findings, possible: Callable[[Findings], bool]) -> UserError:
    """The error for evidence of probability zero: it names findings that exclude each other, and no more of them.

    Args:
        possible: tells of other findings whether their probability is above zero.
    """
    try:
        log_normalizer(network)  # raises where all is impossible, whatever is found
        excluding = _excluding(findings, possible)
    except TooLargeError:  # with fewer findings the tables grow
        excluding = findings
    parts = [f"{variable}={state}" for variable, state in named(network, excluding.states).items()]
    parts += [f"the soft finding on {potential.variables[0]}" for potential in excluding.likelihoods]
    if len(parts) == 1:
        return UserError(f"impossible evidence: {parts[0]} has probability zero; leave it out")
    return UserError(f"impossible evidence: {', '.join(parts)} together have probability zero; leave one of them out")


def _excluding(findings: Findings, possible: Callable[[Findings], bool]) -> Findings:
    """The findings that exclude each other, and no more of them."""
    excluding = Findings({}, [])
    rest = [*(Findings({name: state}, []) for name, state in findings.states.items())]
    rest += [Findings({}, [potential]) for potential in findings.likelihoods]
    while possible(excluding):
        # The shortest prefix of the rest that has probability zero together with these: its last finding belongs to
        # every contradiction in it.
        shorter, enough = 0, len(rest)
        while enough - shorter > 1:
            middle = (shorter + enough) // 2
            if possible(_together([excluding, *rest[:middle]])):
                shorter = middle
            else:
                enough = middle
        excluding, rest = _together([excluding, rest[enough - 1]]), rest[: enough - 1]
    return excluding


def _together(findings: Iterable[Findings]) -> Findings:
    together = Findings({}, [])
    for states, likelihoods in findings:
        together.states.update(states)
        together.likelihoods.extend(likelihoods)
    return together


def _with_ancestors(graph: nx.DiGraph, variables: set[str]) -> list[str]:
    kept, ahead = set(), list(variables)
    while ahead:
        variable = ahead.pop()
        if variable not in kept:
            kept.add(variable)
            ahead.extend(graph.predecessors(variable))
    return [variable for variable in graph if variable in kept]


def _likelihood(network: Network, variable: str, finding: Mapping[State, float]) -> Potential:
    values = np.full(len(network.states[variable]), np.nan)
    for state, value in finding.items():
        values[state_index(network.states, variable, state)] = value
    if not (np.isfinite(values) & (values >= 0)).all() or not values.any():
        known = ", ".join(map(str, network.states[variable]))
        raise UserError(f"soft evidence on {variable} needs a likelihood, zero or more, for each state: {known}")
    return Potential([variable], values)
