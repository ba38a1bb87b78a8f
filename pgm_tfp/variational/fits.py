"""A fitted surrogate: what a family returns, and what `fit` checks and gives to the user.

    log p(e) - ELBO(q) = KL(q || p(. | e)) >= 0

Where the exact evidence is known, the gap is the divergence itself and not a bound on it. A gap that is negative by
more than both errors is impossible: then the ELBO or the evidence is wrong, and the fit says so.
"""

import logging
from typing import NamedTuple

import numpy as np
import tensorflow_probability as tfp

from pgm_tfp import exact
from pgm_tfp.html_tables import html_table
from pgm_tfp.networks import BayesianNetwork
from pgm_tfp.results import LogEvidence, Marginal
from pgm_tfp.variational.marginals import marginal_of
from pgm_tfp.variational.targets import Target

log = logging.getLogger(__name__)

MOST_STANDARD_ERRORS = 4.0  # a larger difference is not attributed to chance
ROUNDING = 1e-6  # nats
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
        network: a discrete surrogate as a network; None for a continuous one.
        exact_log_evidence: log p(e) by an exact method, known or unknown; a family leaves it unknown.
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
    network: BayesianNetwork | None = None
    exact_log_evidence: LogEvidence = LogEvidence("unknown")

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
