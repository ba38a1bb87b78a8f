"""One question at a time, by variable elimination on what the question needs.

Evidence is sliced out of the potentials and what it makes irrelevant is left out before anything is multiplied.
"""

from collections.abc import Callable, Sequence

import numpy as np

from common.errors import UserError
from pgm_tfp import elimination
from pgm_tfp.conditionals import State
from pgm_tfp.exact.evidence import (
    Evidence,
    Findings,
    Network,
    check_variables,
    conditioned,
    impossible,
    log_normalizer,
    named,
    read_evidence,
)
from pgm_tfp.potentials import LOG_MAX_PRODUCT, held

ENTRY, NAME = 300, 8  # bytes of an answer's entry: a float, a tuple and its place in a dictionary; of each state in it


def marginal(network: Network, variable: str, evidence: Evidence | None = None) -> dict[State, float]:
    """p(variable | evidence).

    Args:
        evidence: by variable the state that was seen, or for each state the likelihood of what was seen.

    Returns:
        The probability of each state.

    Raises:
        UserError: a name is unknown, or the evidence is impossible.
        TooLargeError: the tables would take more memory than there is.
    """
    return {states[0]: probability for states, probability in joint_marginal(network, [variable], evidence).items()}


def joint_marginal(
    network: Network, variables: Sequence[str], evidence: Evidence | None = None
) -> dict[tuple[State, ...], float]:
    """p(variables | evidence).

    Returns:
        The probability of each combination of states, in the order of `variables`.

    Raises:
        UserError: a name is unknown, or the evidence is impossible.
        TooLargeError: the tables would take more memory than there is.
    """
    check_variables(network, variables)
    if len(set(variables)) != len(variables):
        raise UserError(f"variables {', '.join(variables)} must be named once each")
    elimination.check_table(
        {variable: len(network.states[variable]) for variable in variables}, ENTRY + NAME * len(variables)
    )
    findings = read_evidence(network, evidence)
    table, log_weight = elimination.joint(conditioned(network, findings, variables), tuple(variables))
    if log_weight == -np.inf:
        raise impossible(network, findings, _possible(network))
    return {
        tuple(network.states[variable][at] for variable, at in zip(variables, index, strict=True)): float(probability)
        for index, probability in np.ndenumerate(table.values)
    }


def log_evidence(network: Network, evidence: Evidence | None = None) -> float:
    """log p(evidence), in nats; with soft evidence the logarithm of its expected likelihood.

    Raises:
        UserError: a name is unknown, or the evidence is impossible.
        TooLargeError: the tables would take more memory than there is.
    """
    findings = read_evidence(network, evidence)
    weight = _log_weight(network, findings)
    if weight == -np.inf:
        raise impossible(network, findings, _possible(network))
    return weight - log_normalizer(network)


def most_probable(network: Network, evidence: Evidence | None = None) -> tuple[dict[str, State], float]:
    """The most probable explanation: the states of all variables, those observed included, that maximise their joint.

    Returns:
        The assignment, and log p(assignment) in nats, soft evidence included; one of them where several are
        equally probable.

    Raises:
        UserError: a name is unknown, or the evidence is impossible.
        TooLargeError: the tables would take more memory than there is.
    """
    findings = read_evidence(network, evidence)
    logs = [held(potential, LOG_MAX_PRODUCT) for potential in conditioned(network, findings)]
    best, weight = elimination.maximum(logs)
    if weight == -np.inf:
        raise impossible(network, findings, _possible(network))
    return named(network, {**best, **findings.states}), weight - log_normalizer(network)


def marginal_map(
    network: Network, variables: Sequence[str], evidence: Evidence | None = None
) -> tuple[dict[str, State], float]:
    """The most probable states of some variables, all others summed out (marginal MAP).

    Sums do not commute with maxima, so all sums come first (Park & Darwiche 2004): where they tie many of
    `variables` together, this takes more than either alone.

    Returns:
        The assignment and log p(assignment, evidence), in nats.

    Raises:
        UserError: a name is unknown, or the evidence is impossible.
        TooLargeError: the tables would take more memory than there is.
    """
    check_variables(network, variables)
    findings = read_evidence(network, evidence)
    potentials = conditioned(network, findings, variables)
    elimination.check_maximum_of_sums(potentials, keep=variables)
    summed = elimination.sum_out(potentials, keep=variables)
    best, weight = elimination.maximum(summed)
    if weight == -np.inf:
        raise impossible(network, findings, _possible(network))
    return named(network, best), weight - log_normalizer(network)


def _log_weight(network: Network, findings: Findings) -> float:
    return elimination.log_sum(conditioned(network, findings, ()))


def _possible(network: Network) -> Callable[[Findings], bool]:
    return lambda findings: _log_weight(network, findings) > -np.inf
