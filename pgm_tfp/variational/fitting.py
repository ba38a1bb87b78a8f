"""Fits a surrogate: a family maximises the ELBO from several starts, and the exact evidence shows the gap."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from common.errors import UserError
from pgm_tfp.networks import BayesianNetwork
from pgm_tfp.results import LogEvidence
from pgm_tfp.variational.conditioning import target as condition
from pgm_tfp.variational.evidence import exact_log_evidence
from pgm_tfp.variational.family import Settings
from pgm_tfp.variational.fits import Fit, checked
from pgm_tfp.variational.registry import families_for, family_for
from pgm_tfp.variational.targets import Target

STARTS = 8
SHOWN_DRAWS = 64  # of the surrogate, at which quadrature looks for modes


def fit(
    network: BayesianNetwork,
    evidence: Mapping[str, Any] | None = None,
    family: str = "mean_field",
    algorithm: str | None = None,
    seed: int = 0,
    starts: int = STARTS,
) -> Fit:
    """The surrogate of a family that is nearest to the posterior of a network, in KL(surrogate || posterior).

    Args:
        evidence: by variable the observed state, number or array; or, for soft evidence, the likelihood of each state.
        family: for networks whose hidden variables are all discrete: mean_field, autoregressive; for others, whose
            hidden discrete variables are summed out: normal, low_rank_normal, full_normal, flow, laplace, in
            unconstrained coordinates.
        algorithm: for a discrete surrogate: enumerated, coordinate_ascent, score_function, vimco; by default
            enumerated up to 65,536 joint states, and score_function above.
        seed: of the random starts and of the noise.
        starts: the number of random starts; from one alone, convergence cannot be tested.

    Raises:
        UserError: a name is unknown, the family is not for this network's variables, or a density is not a number.
    """
    return fit_target(condition(network, evidence), family, algorithm, seed, starts)


def fit_target(
    target: Target,
    family: str = "mean_field",
    algorithm: str | None = None,
    seed: int = 0,
    starts: int = STARTS,
    log_evidence: LogEvidence | None = None,
) -> Fit:
    """The surrogate of a family that is nearest to a target; the arguments are those of `fit`.

    Args:
        log_evidence: the exact log p(evidence), where the caller has computed it already.

    Raises:
        UserError: as `fit`.
    """
    if starts < 1:
        raise UserError(f"starts must be 1 or more, given {starts}")
    chosen = family_for(target, family)
    if log_evidence is None and not target.continuous:
        log_evidence = exact_log_evidence(target)
    best = chosen.fit(target, Settings(algorithm, seed, starts))
    if log_evidence is None:  # the surrogate shows quadrature where a mode may be
        log_evidence = exact_log_evidence(target, best.surrogate.sample(SHOWN_DRAWS, seed=seed).numpy())
    if not np.isfinite(best.elbo):
        raise UserError(
            f"{family}: the ELBO of every start is {best.elbo}; the surrogate gives mass to values that the evidence "
            f"makes impossible; choose another family of {', '.join(families_for(target))}"
        )
    return checked(best._replace(exact_log_evidence=log_evidence))
