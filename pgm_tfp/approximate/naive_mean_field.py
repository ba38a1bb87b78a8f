"""Mean field for discrete networks of any size: coordinate ascent on the factors.

The surrogate is q(x) = prod_i q_i(x_i) over the hidden variables. With the factors phi_c of the network, sliced at the
evidence,

    ELBO(q) = sum_c E_q[log phi_c(x_c)] + sum_i H(q_i)  <=  log p(e) + log Z

and the best q_i for fixed others is

    log q_i(x_i) = sum_{c with i} E_q[log phi_c(x_c) | x_i] + constant

(Jordan et al. 1999; Koller & Friedman 2009, section 11.5.1). Each update costs as much as the factors of one variable
have cells, and never lowers the ELBO. It reaches a local maximum, so there are several starts.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import softmax, xlogy

from common.errors import UserError, nearest
from pgm_tfp.exact import Network, check_variables
from pgm_tfp.exact.evidence import Evidence, conditioned, log_normalizer, read_evidence
from pgm_tfp.exact.probabilities import Marginals, Probabilities
from pgm_tfp.memory import TooLargeError
from pgm_tfp.potentials import Potential
from pgm_tfp.results import LogEvidence

STARTS = 8
START_SPREAD = 2.0  # standard deviation of random logits, which then start near certainty of every kind
MOST_SWEEPS = 1_000
LEAST_GAIN = 1e-9  # nats; sweeps end when one gains less
SAME = 1e-6  # nats; two starts that differ by less have reached the same maximum
# The logarithm of a weight of zero. The ELBO of a surrogate that gives such a state mass is minus infinity; a finite
# stand-in lets coordinate ascent leave such a start. A surrogate that keeps some of the mass there is no answer.
LOG_ZERO = -1e4
NO_MASS = 1e-9  # the mass on states of weight zero that counts as none; it changes the ELBO by 1e-5 nats at most


class MeanField(NamedTuple):
    """The best of several local maxima of the ELBO; it follows `results.Result`.

    Attributes:
        marginals: q_i, by variable the probability of each state; observed variables are certain.
        elbo: in nats; a lower bound of log p(evidence). For a Markov network it is known only if log Z is.
        starts: the ELBO that each start reached.
        converged: whether the best start met its tolerance and a second start reached the same ELBO.
        bounds_evidence: False for a Markov network whose log Z is too large to compute: then `elbo` bounds
            log p(evidence) + log Z.
    """

    marginals: Marginals
    elbo: float
    starts: list[float]
    converged: bool
    bounds_evidence: bool = True

    @property
    def log_evidence(self) -> LogEvidence:
        """The ELBO as a lower bound of log p(evidence)."""
        return LogEvidence("bounded", self.elbo) if self.bounds_evidence else LogEvidence("unknown")

    def marginal(self, variable: str) -> Probabilities:
        """q(variable).

        Raises:
            UserError: the variable is unknown.
        """
        if variable not in self.marginals:
            raise UserError(f"unknown variable {variable}; {nearest(variable, self.marginals)}")
        return Probabilities((variable,), self.marginals[variable])


def mean_field(network: Network, evidence: Evidence | None = None, seed: int = 0, starts: int = STARTS) -> MeanField:
    """A product of independent distributions near the posterior: the least KL(q || posterior) that the starts reach.

    Args:
        evidence: by variable the state that was seen, or for each state the likelihood of the finding.
        seed: of the random starts.
        starts: their number; from one alone, convergence cannot be tested.

    Raises:
        UserError: a name is unknown, a variable is continuous, or no start finds a surrogate that gives no mass to
            states of probability zero; if the evidence is impossible, there is none.
    """
    if starts < 1:
        raise UserError(f"starts must be 1 or more, given {starts}")
    check_variables(network, network.graph)
    findings = read_evidence(network, evidence)
    potentials = conditioned(network, findings)
    factors = [_logarithm(potential) for potential in potentials]
    zeros = [Potential(one.variables, one.values == 0.0) for one in potentials if not one.values.all()]
    hidden = [variable for variable in network.graph if variable not in findings.states]
    random = np.random.default_rng(seed)
    reached = [_ascend(factors, _start(network, hidden, random)) for _ in range(starts)]
    possible = [one for one in reached if sum(float(_expected(zero, one[0])) for zero in zeros) <= NO_MASS]
    if not possible:
        raise UserError(
            "mean field found no surrogate without mass on states of probability zero; give other evidence, or more "
            "starts"
        )
    best, elbo, settled = max(possible, key=lambda one: one[1])
    ends = [one[1] for one in reached]
    agreed = sum(abs(end - elbo) < SAME for end in ends) >= 2
    certain = {name: np.eye(len(network.states[name]))[state] for name, state in findings.states.items()}
    marginals = Marginals(
        (name, Probabilities((name,), dict(zip(network.states[name], {**best, **certain}[name].tolist(), strict=True))))
        for name in network.graph
    )
    try:
        log_z, known = log_normalizer(network), True
    except TooLargeError:
        log_z, known = 0.0, False
    return MeanField(marginals, elbo - log_z, [end - log_z for end in ends], settled and agreed, known)


def _logarithm(potential: Potential) -> Potential:
    with np.errstate(divide="ignore"):
        return Potential(potential.variables, np.maximum(np.log(potential.values), LOG_ZERO))


def _start(network: Network, hidden: Sequence[str], random: np.random.Generator) -> dict[str, np.ndarray]:
    return {name: softmax(random.normal(scale=START_SPREAD, size=len(network.states[name]))) for name in hidden}


def _ascend(factors: Sequence[Potential], q: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], float, bool]:
    """The surrogate that sweeps reach, its ELBO, and whether the last sweep gained next to nothing."""
    about: dict[str, list[Potential]] = {name: [] for name in q}
    for factor in factors:
        for name in factor.variables:
            about[name].append(factor)
    elbo = _elbo(factors, q)
    for _ in range(MOST_SWEEPS):
        for name, around in about.items():
            # log q_i(x_i) = sum_c E_q[log phi_c | x_i] + constant
            q[name] = softmax(sum((_expected(factor, q, keep=name) for factor in around), np.zeros(len(q[name]))))
        before, elbo = elbo, _elbo(factors, q)
        if elbo - before < LEAST_GAIN:
            return q, elbo, True
    return q, elbo, False


def _elbo(factors: Sequence[Potential], q: dict[str, np.ndarray]) -> float:
    # sum_c E_q[log phi_c] - sum_i sum_x q_i(x) log q_i(x)
    energy = sum(float(_expected(factor, q)) for factor in factors)
    return energy - sum(float(xlogy(own, own).sum()) for own in q.values())


def _expected(factor: Potential, q: dict[str, np.ndarray], keep: str | None = None) -> np.ndarray:
    """E_q[log phi] of a factor; with `keep`, for each state of this variable."""
    values = factor.values
    # From the last axis to the first, so that the numbers of the remaining axes do not change.
    for axis in reversed(range(values.ndim)):
        name = factor.variables[axis]
        if name != keep:
            values = np.tensordot(values, q[name], (axis, 0))
    return values
