"""From a network and evidence to the target of approximate inference."""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np

from common.errors import UserError
from pgm_tfp.exact.evidence import read_evidence
from pgm_tfp.networks import BayesianNetwork, number_of
from pgm_tfp.variational.targets import Target
from pgm_tfp.variational.truncation import (
    MOST_VALUES,
    MOST_VALUES_AT_DRAWS,
    Truncation,
    countable_variables,
    kept_values,
    prior_truncation,
    probes,
    truncated,
)

log = logging.getLogger(__name__)

MOST_INTERFACE_STATES = 2**10  # joint states that are summed over at each of thousands of draws
PASSES = 8  # over the countable variables, whose ranges depend on each other
LARGE_TAIL = 1e-9
UNSETTLED = 1.0  # the tail of a range that still changed in the last pass
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

    def cut(values: dict[str, np.ndarray]) -> Target:
        """The target with the countable variables summed over these values."""
        finite = truncated(network, values, dtypes) if values else network
        discrete = tuple(variable for variable in hidden if variable in finite.states)
        sizes = tuple(len(finite.states[variable]) for variable in discrete)
        continuous = tuple(variable for variable in hidden if variable not in finite.states)
        kept = {name: truncations[name]._replace(values=own) for name, own in values.items()}
        return Target(finite, network, evidence or {}, observed, likelihoods, discrete, sizes, continuous, kept)

    truncations = {variable: prior_truncation(distribution) for variable, distribution in countable.items()}
    continuous = any(variable not in network.states and variable not in countable for variable in hidden)
    most = MOST_VALUES_AT_DRAWS if continuous else MOST_VALUES
    for _ in range(PASSES):
        before = {name: known.values for name, known in truncations.items()}
        for name, known in truncations.items():
            if known.bounded:
                continue
            tried = probes(int(known.values[0]), known.high)
            posterior = cut({**{other: kept.values for other, kept in truncations.items()}, name: tried})
            values, tail = kept_values(tried, posterior.log_weights_of(name), most)
            truncations[name] = Truncation(values, bounded=False, tail=tail)
        if all(np.array_equal(before[name], known.values) for name, known in truncations.items()):
            break
    else:  # the ranges still change, so nothing bounds the probability outside of them
        truncations = {
            name: known if known.bounded else known._replace(tail=max(known.tail, UNSETTLED))
            for name, known in truncations.items()
        }
    posterior = cut({name: known.values for name, known in truncations.items()})
    _check_interface(posterior)
    for name, known in truncations.items():
        if known.tail > LARGE_TAIL:
            log.warning(
                "%s is summed from %d to %d only; the share of other values may be %.1g, so results may be off by "
                "about as much", name, known.values[0], known.high, known.tail,
            )  # fmt: skip
    return posterior


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
