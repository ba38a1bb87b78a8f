"""From a network and evidence to the target of approximate inference."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from common.errors import UserError
from pgm_tfp.exact.evidence import read_evidence
from pgm_tfp.networks import BayesianNetwork, number_of
from pgm_tfp.variational.targets import Target
from pgm_tfp.variational.truncation import (
    MOST_VALUES,
    POSTERIOR_TAIL,
    Truncation,
    countable_variables,
    prior_truncation,
    truncated,
)

log = logging.getLogger(__name__)

MOST_INTERFACE_STATES = 2**10  # joint states that are summed over at each of thousands of draws
CHECKED = 100  # draws of the prior at which densities are checked for NaN


def target(network: BayesianNetwork, evidence: Mapping[str, Any] | None = None) -> Target:
    """The posterior of a network given evidence, as the target of approximate inference.

    Args:
        evidence: by variable a state; or, for soft evidence, the likelihood of each state; or, for a continuous
            variable, a number or an array.

    Raises:
        UserError: a variable or a state is unknown, nothing is hidden, a value is no finite number, there are too many
            joint states, or a distribution cannot be computed.
    """
    observed, likelihoods = _read(network, evidence or {})
    hidden = [variable for variable in network.conditionals if variable not in observed]
    if not hidden:
        raise UserError("the evidence names every variable; leave one out for a surrogate to approximate")
    countable = countable_variables(network, hidden)
    dtypes = {variable: distribution.dtype for variable, distribution in countable.items()}

    def cut(truncations: dict[str, Truncation]) -> Target:
        """The target with the countable variables summed up to these values."""
        highs = {variable: known.high for variable, known in truncations.items()}
        finite = truncated(network, highs, dtypes) if highs else network
        discrete = tuple(variable for variable in hidden if variable in finite.states)
        sizes = tuple(len(finite.states[variable]) for variable in discrete)
        continuous = tuple(variable for variable in hidden if variable not in finite.states)
        return Target(finite, network, evidence or {}, observed, likelihoods, discrete, sizes, continuous, truncations)

    truncations = {variable: prior_truncation(distribution) for variable, distribution in countable.items()}
    while True:
        posterior = cut(truncations)
        _check_interface(posterior)
        truncations = {
            name: known._replace(tail=0.0 if known.bounded else posterior.upper_half(name))
            for name, known in truncations.items()
        }
        too_short = [
            name for name, known in truncations.items() if known.tail > POSTERIOR_TAIL and known.high < MOST_VALUES - 1
        ]
        if not too_short:
            break
        for name in too_short:
            high = min(2 * truncations[name].high + 1, MOST_VALUES - 1)
            truncations[name] = truncations[name]._replace(high=high)
    for name, known in truncations.items():
        if known.tail > POSTERIOR_TAIL:
            log.warning(
                "%s is summed up to %d only; the upper half of that range has posterior probability %.1g, so results "
                "may be off by about as much", name, known.high, known.tail,
            )  # fmt: skip
    return replace(posterior, truncations=truncations)


def _read(network: BayesianNetwork, evidence: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The observed state indices and numbers by variable, and the likelihoods of soft evidence by variable."""
    numbers = {
        variable: number_of(variable, value)
        for variable, value in evidence.items()
        if variable in network.graph and variable not in network.states and not isinstance(value, Mapping)
    }
    findings = read_evidence(network, {name: value for name, value in evidence.items() if name not in numbers})
    likelihoods = {potential.variables[0]: potential.values for potential in findings.likelihoods}
    return {**findings.states, **numbers}, likelihoods


def _check_interface(posterior: Target) -> None:
    """Raise UserError where too many states are summed over at every draw, or a density is not a number."""
    if not posterior.continuous:
        return
    if posterior.interface_states > MOST_INTERFACE_STATES:
        raise UserError(
            f"the hidden discrete variables {', '.join(posterior.interface)} have {posterior.interface_states:,} joint "
            f"states to sum over at every draw of {', '.join(posterior.continuous)}, more than "
            f"{MOST_INTERFACE_STATES:,}; observe some of them"
        )
    posterior.check_numbers(posterior.prior_draws[:CHECKED])
