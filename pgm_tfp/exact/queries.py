"""Answers to single questions, by variable elimination.

Before anything is multiplied, the potentials are sliced at the evidence, and variables that cannot matter for the
question are left out.
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
from pgm_tfp.exact.probabilities import Probabilities
from pgm_tfp.potentials import LOG_MAX_PRODUCT, held

BYTES_PER_ENTRY = 300  # of an answer in Python: a float, a tuple, and their place in a dictionary
BYTES_PER_STATE = 8  # in such a tuple


def marginal(network: Network, variable: str, evidence: Evidence | None = None) -> dict[State, float]:
    """p(variable | evidence).

    Args:
        evidence: by variable the state that was seen, or for each state the likelihood of the finding.

    Returns:
        The probability of each state.

    Raises:
        UserError: a name is unknown, or the evidence is impossible.
        TooLargeError: the tables would take more memory than there is.
    """
    if isinstance(variable, list | tuple | set):
        raise UserError(
            f"exact.marginal is about one variable, given {list(variable)}; use exact.joint_marginal for several"
        )
    together = joint_marginal(network, [variable], evidence)
    return Probabilities((variable,), {states[0]: probability for states, probability in together.items()})


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
        {variable: len(network.states[variable]) for variable in variables},
        BYTES_PER_ENTRY + BYTES_PER_STATE * len(variables),
    )
    findings = read_evidence(network, evidence)
    table, log_weight = elimination.joint(conditioned(network, findings, variables), tuple(variables))
    if log_weight == -np.inf:
        raise impossible(network, findings, _possible(network))
    return Probabilities(
        tuple(variables),
        {
            tuple(network.states[name][at] for name, at in zip(variables, index, strict=True)): float(probability)
            for index, probability in np.ndenumerate(table.values)
        },
    )


def log_evidence(network: Network, evidence: Evidence | None = None) -> float:
    """log p(evidence), in nats; for soft evidence the logarithm of the expected likelihood.

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
    """The most probable explanation: the states of all variables that maximise the joint probability given evidence.

    Returns:
        The assignment, observed variables included, and log p(assignment, soft evidence) in nats. If several
        assignments are equally probable, one of them.

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
    """The most probable joint state of some variables, all others summed out (marginal MAP).

    Sums do not commute with maxima, so all sums come first (Park & Darwiche 2004). If the sums join many of `variables`
    in one table, this takes more memory than `marginal` and `most_probable`.

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
