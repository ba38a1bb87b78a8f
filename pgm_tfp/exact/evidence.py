"""Evidence: read from what a user writes, entered into a network's potentials, and explained if it is impossible."""

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
# By variable the state that was seen, or for each state the likelihood of a finding (soft or virtual evidence).
Evidence = Mapping[str, State | Mapping[State, float]]


class Findings(NamedTuple):
    """Evidence as inference needs it.

    Attributes:
        states: by variable that was seen, the index of its state.
        likelihoods: lambda(x) = p(finding | x), one potential for each variable x with soft evidence (Pearl 1988,
            section 2.2.2).
    """

    states: dict[str, int]
    likelihoods: list[Potential]

    def variables(self) -> set[str]:
        """All variables with a finding, certain or soft."""
        return {*self.states, *(potential.variables[0] for potential in self.likelihoods)}


def read_evidence(network: Network, evidence: Evidence | None) -> Findings:
    """Evidence as indices of states and potentials.

    Raises:
        UserError: a variable or a state is unknown, or a soft finding is not a likelihood.
    """
    if evidence is not None and not hasattr(evidence, "items"):
        raise UserError(f'evidence {evidence} names no states; write them by variable, such as {{"M": True}}')
    findings = Findings({}, [])
    for variable, finding in (evidence or {}).items():
        check_variables(network, [variable])
        if isinstance(finding, Mapping):
            findings.likelihoods.append(_likelihood(network, variable, finding))
        else:
            findings.states[variable] = state_index(network.states, variable, finding)
    return findings


def check_variables(network: Network, variables: Iterable[str]) -> None:
    """Raise UserError for the first variable that is unknown or continuous."""
    for variable in variables:
        if variable not in network.graph:
            raise UserError(f"unknown variable {variable}; {nearest(str(variable), network.graph)}")
        if variable not in network.states:
            raise UserError(f"{variable} is continuous; exact inference needs variables with states")


def conditioned(network: Network, findings: Findings, about: Iterable[str] | None = None) -> list[Potential]:
    """The potentials whose product, summed over all variables but `about`, is p(about, evidence) times Z.

    In a Bayesian network, a variable sums to one if neither the variable nor a descendant is asked about or observed
    (Shachter 1986). Such variables are left out.

    Args:
        about: the variables of the question; None keeps all variables of the network.
    """
    about = None if about is None else set(about)
    if about is None or isinstance(network, MarkovNetwork):
        potentials = network.potentials()
    else:
        potentials = network.potentials(_with_ancestors(network.graph, about | findings.variables()))
    # A variable that is both observed and asked about must keep its axis, so its finding enters as a likelihood.
    certain = {variable: state for variable, state in findings.states.items() if variable in (about or ())}
    fixed = {variable: state for variable, state in findings.states.items() if variable not in certain}
    seen = [Potential([variable], np.eye(len(network.states[variable]))[at]) for variable, at in certain.items()]
    return [potential.reduced(fixed) for potential in (*potentials, *findings.likelihoods, *seen)]


def log_normalizer(network: Network) -> float:
    """log Z, the log of the sum of the product of the network's potentials; zero for a Bayesian network."""
    return network.log_partition if isinstance(network, MarkovNetwork) else 0.0


def named(network: Network, states: Mapping[str, int]) -> dict[str, State]:
    """Names of states for indices of states, in the network's order of variables."""
    return {variable: network.states[variable][states[variable]] for variable in network.graph if variable in states}


def impossible(network: Network, findings: Findings, possible: Callable[[Findings], bool]) -> UserError:
    """The error for evidence of probability zero; it names findings that exclude each other, none of them needless.

    Args:
        possible: whether the probability of some findings is above zero.
    """
    try:
        log_normalizer(network)  # raises if the network excludes every joint state, whatever the findings
        excluding = _excluding(findings, possible)
    except TooLargeError:  # with fewer findings the tables are larger
        excluding = findings
    parts = [f"{variable}={state}" for variable, state in named(network, excluding.states).items()]
    parts += [f"the soft finding on {potential.variables[0]}" for potential in excluding.likelihoods]
    if len(parts) == 1:
        return UserError(f"impossible evidence: {parts[0]} has probability zero; leave it out")
    return UserError(f"impossible evidence: {', '.join(parts)} together have probability zero; leave one of them out")


def _excluding(findings: Findings, possible: Callable[[Findings], bool]) -> Findings:
    """Findings that together have probability zero, and do not if any one of them is left out."""
    excluding = Findings({}, [])
    rest = [*(Findings({name: state}, []) for name, state in findings.states.items())]
    rest += [Findings({}, [potential]) for potential in findings.likelihoods]
    while possible(excluding):
        # Find the shortest prefix of the rest that has probability zero together with `excluding`. Without its last
        # finding this probability is not zero, so the last finding is needed.
        too_short, enough = 0, len(rest)
        while enough - too_short > 1:
            middle = (too_short + enough) // 2
            if possible(_together([excluding, *rest[:middle]])):
                too_short = middle
            else:
                enough = middle
        excluding, rest = _together([excluding, rest[enough - 1]]), rest[: enough - 1]
    return excluding


def _together(findings: Iterable[Findings]) -> Findings:
    """All these findings as one set."""
    together = Findings({}, [])
    for states, likelihoods in findings:
        together.states.update(states)
        together.likelihoods.extend(likelihoods)
    return together


def _with_ancestors(graph: nx.DiGraph, variables: set[str]) -> list[str]:
    """These variables and their ancestors, in the graph's order.

    `nx.ancestors` takes one variable; called for each of many findings, it would visit the same ancestors many times.
    """
    kept, ahead = set(), list(variables)
    while ahead:
        variable = ahead.pop()
        if variable not in kept:
            kept.add(variable)
            ahead.extend(graph.predecessors(variable))
    return [variable for variable in graph if variable in kept]


def _likelihood(network: Network, variable: str, finding: Mapping[State, float]) -> Potential:
    """A soft finding as a potential; UserError unless every state has a finite likelihood and one is above zero."""
    values = np.full(len(network.states[variable]), np.nan)
    for state, value in finding.items():
        values[state_index(network.states, variable, state)] = value
    if not (np.isfinite(values) & (values >= 0)).all() or not values.any():
        known = ", ".join(map(str, network.states[variable]))
        raise UserError(f"soft evidence on {variable} needs a likelihood, zero or more, for each state: {known}")
    return Potential([variable], values)
