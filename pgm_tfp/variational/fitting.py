"""Fitting a surrogate: maximise the ELBO from several starts, judge the result, say how far it is from the truth.

    log p(e) - ELBO(q) = KL(q || p(. | e)) >= 0

so where the exact evidence is known, the gap is the divergence itself, not a bound of it. A gap below zero by more than
both errors is impossible: then one of the two numbers is wrong, and the fit says so.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from common.errors import UserError
from pgm_tfp.networks import BayesianNetwork
from pgm_tfp.variational import discrete, sampled
from pgm_tfp.variational.continuous import FAMILIES, Family, family_named, standard_noise
from pgm_tfp.variational.maximisation import ITERATIONS, Maximum, maximiser, unpacked
from pgm_tfp.variational.quadrature import KNOWN, MOST_DIMENSIONS, quadrature
from pgm_tfp.variational.targets import MOST_STATES, Target, target

log = logging.getLogger(__name__)

DISCRETE = {"mean_field": discrete.mean_field, "autoregressive": discrete.autoregressive}
STARTS = 8
SPREAD = 2.0  # of random logits: starts near certainty of every kind, as mean fields have several maxima
AGREEMENT = 1e-3  # nats by which the best start may lead the second best before it is called luck
NOISE, EVALUATION, REPETITIONS = 4_096, 16_384, 8  # draws in fitting; draws in each of some independent evaluations
MOST_CELLS = 2**27  # of the tables that exact evidence takes, a gigabyte: beyond, the gap stays unknown
TRIED = 30  # draws of the prior of which a start is the best
SURE = 4.0  # standard errors by which the ELBO may exceed the evidence
ROUNDING = 1e-6  # nats
DIAGNOSED = 100  # draws of the fitted surrogate at which densities are checked for NaN


class Fit(NamedTuple):
    """A fitted surrogate and what is known of it.

    Attributes:
        family: its name.
        surrogate: the distribution: of state indices by name, or of vectors of the hidden continuous variables'
            unconstrained coordinates (which are the variables themselves where these are real numbers).
        variables: those that it is about, in the order of the vector.
        elbo: in nats.
        elbo_error: its standard error; zero where it is a sum over all states.
        trace: the ELBO after each iteration of the best start.
        estimator: how ELBO and gradient were computed.
        starts: the final ELBO from every start.
        converged: the best start arrived, another one arrived at the same height, and the ELBO does not exceed the
            evidence. One start alone proves nothing. That the surrogate is near the posterior is for `gap` to say.
        log_evidence: exact log p(e) in nats, or None where it is not known.
        log_evidence_error: how far that may be off, in nats.
        target: what it approximates.
        network: a discrete surrogate as a network, to be asked for exact marginals; None for a continuous one.
    """

    family: str
    surrogate: tfp.distributions.Distribution
    variables: tuple[str, ...]
    elbo: float
    elbo_error: float
    trace: np.ndarray
    estimator: str
    starts: list[float]
    converged: bool
    log_evidence: float | None
    log_evidence_error: float
    target: Target
    network: BayesianNetwork | None = None

    @property
    def gap(self) -> float | None:
        """KL(surrogate || posterior) = log p(e) - ELBO in nats, where the evidence is known."""
        return None if self.log_evidence is None else self.log_evidence - self.elbo

    @property
    def impossible(self) -> bool:
        """Does the ELBO exceed the log evidence by more than their errors? Then one of them is wrong."""
        return self.gap is not None and self.gap < -(SURE * self.elbo_error + self.log_evidence_error + ROUNDING)

    def sample(self, n: int, seed: int = 0) -> dict[str, np.ndarray]:
        """Draws of the surrogate in the model's own space: by variable states (n,); by column numbers (n,)."""
        if self.network is not None:
            return self.network.sample(n, seed)
        draws = self.target.model_draws(self.surrogate.sample(n, seed=seed).numpy(), seed)
        return dict(zip(self.target.columns, draws.T, strict=True))


def fit(
    network: BayesianNetwork,
    evidence: Mapping[str, Any] | None = None,
    family: str = "mean_field",
    estimator: str | None = None,
    seed: int = 0,
    starts: int = STARTS,
) -> Fit:
    """The surrogate of a family that is nearest to the posterior in KL(surrogate || posterior).

    Args:
        evidence: by variable the state, or the number or array, that was seen; for each state a likelihood where the
            evidence is soft.
        family: of networks whose hidden variables are discrete: mean_field, autoregressive; of others, whose hidden
            discrete variables are summed out: normal, low_rank_normal, full_normal, flow, laplace, in unconstrained
            coordinates.
        estimator: of a discrete surrogate's gradient: enumerated, score_function, vimco; by default enumerated where
            there are at most 65,536 joint states, else score_function.
        starts: how many random places to climb from; with one alone nothing is known to have converged.

    Raises:
        UserError: a name is unknown, the family is not for this network's variables, or a density is not a number.
    """
    if starts < 1:
        raise UserError(f"starts must be 1 or more, given {starts}")
    aim = target(network, evidence)
    if family in DISCRETE:
        if aim.continuous:
            raise UserError(
                f"{family} is for discrete variables, and {aim.continuous[0]} is continuous; "
                f"choose one of {', '.join(FAMILIES)}"
            )
        return _checked(_fit_discrete(aim, family, estimator, seed, starts))
    chosen = family_named(family, tuple(DISCRETE))
    if not aim.continuous:
        raise UserError(
            f"{family} is for continuous variables, and none is hidden; choose one of {', '.join(DISCRETE)}"
        )
    if estimator not in (None, "reparameterised"):
        raise UserError(f"estimator {estimator} is for discrete surrogates; leave it out")
    return _checked(_fit_continuous(aim, family, chosen, seed, starts))


def _fit_discrete(aim: Target, family: str, estimator: str | None, seed: int, starts: int) -> Fit:
    structure = DISCRETE[family](aim)
    affordable = discrete.hidden_elimination(aim).cells <= MOST_CELLS
    log_evidence = aim.log_evidence if affordable else None
    shapes = structure.shapes()
    estimator = estimator or ("enumerated" if aim.states <= MOST_STATES else "score_function")
    if estimator == "enumerated":
        if aim.states > MOST_STATES:
            raise UserError(
                f"the {len(aim.discrete)} hidden variables have {aim.states:.3g} joint states, too many to enumerate; "
                f"choose one of {', '.join(sampled.ESTIMATORS)}"
            )
        random = np.random.default_rng(seed)
        climb = maximiser(lambda logits: discrete.enumerated_elbo(aim, structure, logits), shapes)
        ended = []
        for _ in range(starts):
            start, sweeps = discrete.coordinate_ascent(
                aim, structure, [random.normal(scale=SPREAD, size=shape) for shape in shapes]
            )
            top = climb(np.concatenate([table.ravel() for table in start]))
            ended.append(top._replace(trace=np.concatenate([sweeps, top.trace[1:]])))
        best, converged = judged(ended, family)
        logits, elbo, error, trace = unpacked(best.parameters, shapes), best.value, 0.0, best.trace
        heights = [one.value for one in ended]
    elif estimator in sampled.ESTIMATORS:
        runs = [sampled.climb(aim, structure, estimator, seed + number) for number in range(starts)]
        ends = [sampled.elbo(aim, structure, logits, seed) for logits, _ in runs]
        highest = max(range(starts), key=lambda number: ends[number][0])
        (logits, trace), (elbo, error) = runs[highest], ends[highest]
        heights = [height for height, _ in ends]
        allowed = sampled.AGREEMENT + SURE * max(one_error for _, one_error in ends)
        converged = _agreed(heights, allowed, family)
        if not sampled.settled(trace):
            log.warning("%s: the ELBO still rises after the last step; pass another seed or more starts", family)
            converged = False
    else:
        raise UserError(f"unknown estimator {estimator}; known: enumerated, {', '.join(sampled.ESTIMATORS)}")
    return Fit(
        family, discrete.distribution(structure, logits), aim.discrete, elbo, error, trace, estimator, heights,
        converged, log_evidence, 0.0, aim, discrete.as_network(aim, structure, [table.numpy() for table in logits]),
    )  # fmt: skip


def _fit_continuous(aim: Target, name: str, family: Family, seed: int, starts: int) -> Fit:
    dimensions = aim.dimensions
    shapes = family.shapes(dimensions)
    noise = tf.constant(standard_noise(family, dimensions, NOISE, seed))

    def elbo(parameters: list[tf.Tensor], fixed: tf.Tensor = noise) -> tf.Tensor:
        draws = family.draw(*parameters, fixed)
        # E_q[log p(u, e) - log q(u)]
        return tf.reduce_mean(aim.log_density(draws) - family.distribution(*parameters).log_prob(draws))

    prior, random = aim.prior_draws, np.random.default_rng(seed)
    density, spread = aim.log_density(tf.constant(prior)).numpy(), np.maximum(prior.std(0), 1e-3)
    tried = [random.choice(len(prior), TRIED) for _ in range(starts)]
    locations = [prior[some[np.argmax(density[some])]] for some in tried]
    climb = maximiser(elbo, shapes)
    ended = [climb(_start(shapes, location, spread, random)) for location in locations]
    best, converged = judged(ended, name)
    parameters = unpacked(best.parameters, shapes)
    aim.check_numbers(family.draw(*parameters, noise).numpy()[:DIAGNOSED])
    fresh = [
        float(elbo(parameters, tf.constant(standard_noise(family, dimensions, EVALUATION, seed + number))))
        for number in range(1, REPETITIONS + 1)
    ]
    exact = quadrature(aim) if dimensions <= MOST_DIMENSIONS else None
    if exact and not exact.known:
        log.warning(
            "the exact evidence, and so the gap, is not known: the error of quadrature is %.1g nats, more than %g",
            exact.error, KNOWN,
        )  # fmt: skip
    return Fit(
        name, family.distribution(*parameters), aim.continuous, float(np.mean(fresh)),
        float(np.std(fresh, ddof=1) / np.sqrt(REPETITIONS)), best.trace, "reparameterised",
        [one.value for one in ended], converged, exact.log_evidence if exact and exact.known else None,
        exact.error if exact and exact.known else 0.0, aim,
    )  # fmt: skip


def _start(
    shapes: Sequence[tuple[int, ...]], location: np.ndarray, spread: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """A location, the prior's spread as scale, and almost nothing of what else a family has."""
    parts = [location, np.log(spread) if len(shapes[1]) == 1 else np.diag(np.log(spread))]
    parts += [0.01 * random.normal(size=shape) for shape in shapes[2:]]
    return np.concatenate([part.ravel() for part in parts])


def judged(ended: Sequence[Maximum], name: str) -> tuple[Maximum, bool]:
    """The highest, and whether it can be trusted: it arrived, and another start arrived at the same height."""
    best = max(ended, key=lambda one: one.value)
    if not best.arrived:
        log.warning("%s: no start arrived in %d iterations; pass more starts or a simpler family", name, ITERATIONS)
    return best, _agreed([one.value for one in ended], AGREEMENT, name) and best.arrived


def _agreed(heights: Sequence[float], allowed: float, name: str) -> bool:
    """Did two starts reach the highest ELBO?"""
    highest, *others = sorted(heights, reverse=True)
    if not others:
        log.warning("%s: one start alone cannot show that it found the highest ELBO; pass two or more starts", name)
    elif highest - others[0] >= allowed:
        log.warning("%s: only one of %d starts reached the highest ELBO; pass more starts", name, len(heights))
    return bool(others) and highest - others[0] < allowed


def _checked(fitted: Fit) -> Fit:
    """The fit, its verdict withdrawn where it contradicts the evidence.

    Raises:
        UserError: the ELBO is not a number.
    """
    if not np.isfinite(fitted.elbo):
        raise UserError(
            f"{fitted.family}: the ELBO of every start is {fitted.elbo}; the surrogate gives mass to values that the "
            f"evidence makes impossible; choose another family of {', '.join((*DISCRETE, *FAMILIES))}"
        )
    if fitted.impossible:
        assert fitted.gap is not None
        log.warning(
            "%s: the ELBO exceeds the log evidence by %.3g nats, which is impossible; one of the two is wrong",
            fitted.family, -fitted.gap,
        )  # fmt: skip
        return fitted._replace(converged=False)
    return fitted
