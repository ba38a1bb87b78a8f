"""Fits a surrogate: maximises the ELBO from several starts, tests convergence, and computes the gap.

    log p(e) - ELBO(q) = KL(q || p(. | e)) >= 0

Where the exact evidence is known, the gap is the divergence itself and not a bound on it. A gap that is negative by
more than both errors is impossible: then the ELBO or the evidence is wrong, and the fit says so.
"""

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow_probability as tfp

from common.errors import UserError
from pgm_tfp import exact
from pgm_tfp.html_tables import html_table
from pgm_tfp.networks import BayesianNetwork
from pgm_tfp.results import LogEvidence, Marginal
from pgm_tfp.variational.conditioning import target as condition
from pgm_tfp.variational.evidence import exact_log_evidence
from pgm_tfp.variational.family import MOST_STANDARD_ERRORS, Settings
from pgm_tfp.variational.marginals import marginal_of
from pgm_tfp.variational.registry import families_for, family_for
from pgm_tfp.variational.targets import Target

log = logging.getLogger(__name__)

STARTS = 8
ROUNDING = 1e-6  # nats
SHOWN_DRAWS = 64  # of the surrogate, at which quadrature looks for modes
MARGINAL_DRAWS = 4_096  # of a continuous surrogate, for its marginals


class Fit(NamedTuple):
    """A fitted surrogate with its errors.

    Attributes:
        family: its name.
        target: the posterior that the surrogate approximates.
        surrogate: a distribution of state indices by name, or of vectors of the hidden continuous variables'
            unconstrained coordinates (which are the variables themselves where these are real numbers).
        variables: the variables that the surrogate is about, in the order of the vector.
        elbo: in nats.
        elbo_error: its standard error; zero where the ELBO is a sum over all joint states.
        trace: the ELBO after each iteration of the best start.
        algorithm: how ELBO and gradient were computed.
        starts: the last ELBO of every start.
        converged: whether the best start converged, a second start reached the same ELBO, and the ELBO does not exceed
            the evidence. One start alone proves nothing. `gap` says how near the surrogate is to the posterior.
        exact_log_evidence: log p(e) by an exact method, known or unknown.
        network: a discrete surrogate as a network; None for a continuous one.
    """

    family: str
    target: Target
    surrogate: tfp.distributions.Distribution
    variables: tuple[str, ...]
    elbo: float
    elbo_error: float
    trace: np.ndarray
    algorithm: str
    starts: list[float]
    converged: bool
    exact_log_evidence: LogEvidence
    network: BayesianNetwork | None = None

    @property
    def log_evidence(self) -> LogEvidence:
        """The exact log p(e) where it is known; otherwise the ELBO, which bounds it from below."""
        if self.exact_log_evidence.kind == "known":
            return self.exact_log_evidence
        return LogEvidence("bounded", self.elbo, self.elbo_error)

    @property
    def gap(self) -> float | None:
        """KL(surrogate || posterior) = log p(e) - ELBO in nats; None where the evidence is not known."""
        known = self.exact_log_evidence.kind == "known"
        return self.exact_log_evidence.value - self.elbo if known else None

    @property
    def impossible(self) -> bool:
        """Whether the ELBO exceeds the log evidence by more than their errors; then one of the two is wrong."""
        if self.gap is None:
            return False
        return self.gap < -(MOST_STANDARD_ERRORS * self.elbo_error + self.exact_log_evidence.error + ROUNDING)

    def sample(self, n: int, seed: int = 0) -> dict[str, np.ndarray]:
        """Draws of the surrogate in the model's own space: by variable states (n,), or by column numbers (n,)."""
        if self.network is not None:
            return self.network.sample(n, seed)
        draws = self.target.model_draws(self.surrogate.sample(n, seed=seed).numpy(), seed)
        return dict(zip(self.target.columns, draws.T, strict=True))

    def _repr_html_(self) -> str:
        gap = "not known" if self.gap is None else f"{self.gap:.6f} nats"
        summary = {
            "surrogate": f"{self.family.replace('_', ' ')} of {', '.join(self.variables)}",
            "algorithm": self.algorithm,
            "ELBO": f"{self.elbo:.6f} nats" + (f" ± {self.elbo_error:.1g}" if self.elbo_error else ""),
            "KL(surrogate || posterior)": gap,
            "converged": "yes" if self.converged else "no",
        }
        shown = html_table(("", ""), summary.items(), len(summary))
        if self.network is None:
            return shown
        return shown + exact.marginals(self.network)._repr_html_()

    def marginal(self, variable: str) -> Marginal:
        """The surrogate's distribution of one hidden variable.

        For a discrete surrogate it is exact, for a continuous one it comes from a few thousand draws.

        Raises:
            UserError: the variable is not hidden.
        """
        self.target.check_hidden(variable)
        if self.network is not None:
            return exact.marginal(self.network, variable)
        u = self.surrogate.sample(MARGINAL_DRAWS, seed=0).numpy()
        weights = np.full(MARGINAL_DRAWS, 1.0 / MARGINAL_DRAWS)
        interface = self.target.interface_posterior(u).mean(0)
        return marginal_of(self.target, variable, self.target.model_draws(u), weights, interface)


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
    return checked(
        Fit(
            family=family,
            target=target,
            surrogate=best.surrogate,
            variables=best.variables,
            elbo=best.elbo,
            elbo_error=best.elbo_error,
            trace=best.trace,
            algorithm=best.algorithm,
            starts=best.starts,
            converged=best.converged,
            exact_log_evidence=log_evidence,
            network=best.network,
        )
    )


def checked(fitted: Fit) -> Fit:
    """The fit; where its ELBO exceeds the evidence, not converged, and the log has a warning."""
    if not fitted.impossible:
        return fitted
    assert fitted.gap is not None
    log.warning(
        "%s: the ELBO exceeds the log evidence by %.3g nats, which is impossible; one of the two is wrong",
        fitted.family, -fitted.gap,
    )  # fmt: skip
    return fitted._replace(converged=False)
