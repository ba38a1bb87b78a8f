"""Fitting a surrogate: climb the ELBO from several starts, judge the result, say what is left to the truth.

    log p(e) - ELBO(q) = KL(q || p(. | e)) >= 0

so where the exact evidence can be had, the gap is the divergence itself, not a bound of it.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from scipy.optimize import minimize

from data.errors import UserError
from pgm_tfp import exact
from pgm_tfp.networks import BayesianNetwork
from pgm_tfp.variational import discrete, sampled
from pgm_tfp.variational.continuous import FAMILIES, Family, family_named, standard_noise
from pgm_tfp.variational.quadrature import MOST_DIMENSIONS, quadrature
from pgm_tfp.variational.targets import MOST_STATES, Target, target

log = logging.getLogger(__name__)

DISCRETE = {"mean_field": discrete.mean_field, "autoregressive": discrete.autoregressive}
STARTS, ITERATIONS = 8, 500
SPREAD = 2.0  # of random logits: starts near certainty of every kind, as mean fields have several summits
GRADIENT = 1e-7  # largest entry of the gradient at which a climb has arrived, in nats
AGREEMENT = 1e-3  # nats by which the best start may lead the second best before it is called luck
NOISE, EVALUATION, REPETITIONS = 4_096, 16_384, 8  # draws in fitting; draws in each of some independent evaluations
MOST_CELLS = 2**27  # of the tables that exact evidence takes, a gigabyte: beyond, the gap stays unknown
PRIOR_DRAWS, TRIED = 1_000, 30  # draws of the prior; of these, a start is the best of some


class Fit(NamedTuple):
    """A fitted surrogate and what is known of it.

    Attributes:
        family: its name.
        surrogate: the distribution: of state indices by name, or of vectors of the hidden continuous variables.
        variables: those that it is about; of a vector, in this order.
        elbo: in nats.
        elbo_error: its standard error; zero where it is a sum over all states.
        trace: the ELBO after each iteration of the best start.
        estimator: how ELBO and gradient were computed.
        starts: the final ELBO from every start.
        converged: did the best start arrive, and a second one at the same height?
        log_evidence: exact log p(e) in nats, or None where that is not affordable.
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
    network: BayesianNetwork | None = None

    @property
    def gap(self) -> float | None:
        """KL(surrogate || posterior) = log p(e) - ELBO in nats, where the evidence is known."""
        return None if self.log_evidence is None else self.log_evidence - self.elbo


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
        evidence: by variable the state, or the number, that was seen.
        family: of networks whose hidden variables are discrete: mean_field, autoregressive; of others, whose hidden
            discrete variables are summed out: normal, low_rank_normal, full_normal, flow, laplace.
        estimator: of a discrete surrogate's gradient: enumerated, score_function, vimco; by default enumerated where
            there are at most 65,536 joint states, else score_function.
        starts: how many random places to climb from.

    Raises:
        UserError: a name is unknown, or the family is not for this network's variables.
    """
    aim = target(network, evidence)
    if family in DISCRETE:
        if aim.continuous:
            raise UserError(
                f"{family} is for discrete variables, and {aim.continuous[0]} is continuous; "
                f"choose one of {', '.join(FAMILIES)}"
            )
        return _fit_discrete(aim, evidence, family, estimator, seed, starts)
    chosen = family_named(family, tuple(DISCRETE))
    if not aim.continuous:
        raise UserError(
            f"{family} is for continuous variables, and none is hidden; choose one of {', '.join(DISCRETE)}"
        )
    if estimator not in (None, "reparameterised"):
        raise UserError(f"estimator {estimator} is for discrete surrogates; leave it out")
    return _fit_continuous(aim, family, chosen, seed, starts)


class Climb(NamedTuple):
    """Where one start ended."""

    parameters: np.ndarray
    elbo: float
    trace: np.ndarray
    arrived: bool


def climbs(
    elbo: Callable[[list[tf.Tensor]], tf.Tensor], shapes: Sequence[tuple[int, ...]], starts: Sequence[np.ndarray]
) -> list[Climb]:
    """Maximise a function of arrays of these shapes, laid end to end, by L-BFGS from every start."""

    @tf.function
    def value_and_gradient(flat: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(flat)
            value = elbo(unpacked(flat, shapes))
        return value, tape.gradient(value, flat)

    def downhill(flat: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = value_and_gradient(tf.constant(flat))
        # Where a step was too long for float64, L-BFGS tries a shorter one.
        return (-float(value), -gradient.numpy()) if np.isfinite(value) else (np.inf, np.zeros_like(flat))

    def climb(start: np.ndarray) -> Climb:
        trace = [-downhill(start)[0]]
        found = minimize(
            downhill,
            start,
            jac=True,
            method="L-BFGS-B",
            callback=lambda intermediate_result: trace.append(-intermediate_result.fun),
            options={"maxiter": ITERATIONS, "gtol": GRADIENT, "ftol": 1e-11, "maxcor": 30},
        )
        return Climb(found.x, -found.fun, np.array(trace), bool(found.success))

    return [climb(start) for start in starts]


def unpacked(flat: Any, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
    """One long vector as arrays of these shapes."""
    sizes = [int(np.prod(shape, dtype=np.int64)) for shape in shapes]
    return [tf.reshape(part, shape) for part, shape in zip(tf.split(flat, sizes), shapes, strict=True)]


def _fit_discrete(
    aim: Target, evidence: Mapping[str, Any] | None, family: str, estimator: str | None, seed: int, starts: int
) -> Fit:
    structure = DISCRETE[family](aim)
    affordable = discrete.hidden_elimination(aim).cells <= MOST_CELLS
    shapes = structure.shapes()
    estimator = estimator or ("enumerated" if aim.states <= MOST_STATES else "score_function")
    random = np.random.default_rng(seed)
    size = sum(int(np.prod(shape)) for shape in shapes)
    if estimator == "enumerated":
        ended = climbs(
            lambda logits: discrete.enumerated_elbo(aim, structure, logits),
            shapes,
            [random.normal(scale=SPREAD, size=size) for _ in range(starts)],
        )
        best, converged = judged(ended, family)
        logits, elbo, error, trace = unpacked(best.parameters, shapes), best.elbo, 0.0, best.trace
        heights = [one.elbo for one in ended]
    elif estimator in sampled.ESTIMATORS:
        runs = [sampled.climb(aim, structure, estimator, seed + number) for number in range(starts)]
        ends = [sampled.elbo(aim, structure, logits, seed) for logits, _ in runs]
        heights = [height for height, _ in ends]
        highest = int(np.argmax(heights))
        (logits, trace), (elbo, error) = runs[highest], ends[highest]
        converged = sampled.settled(trace)
        if not converged:
            log.warning("%s: the ELBO still rises after the last step; pass another seed or more starts", family)
    else:
        raise UserError(f"unknown estimator {estimator}; known: enumerated, {', '.join(sampled.ESTIMATORS)}")
    return Fit(
        family, discrete.distribution(structure, logits), aim.discrete, elbo, error, trace, estimator, heights,
        converged, exact.log_evidence(aim.network, evidence) if affordable else None,
        discrete.as_network(aim, structure, [table.numpy() for table in logits]),
    )  # fmt: skip


def _fit_continuous(aim: Target, name: str, family: Family, seed: int, starts: int) -> Fit:
    dimensions = len(aim.continuous)
    shapes = family.shapes(dimensions)
    noise = tf.constant(standard_noise(family, dimensions, NOISE, seed))

    def elbo(parameters: list[tf.Tensor], fixed: tf.Tensor = noise) -> tf.Tensor:
        draws = family.draw(*parameters, fixed)
        # E_q[log p(z, e) - log q(z)]
        return tf.reduce_mean(aim.log_density(draws) - family.distribution(*parameters).log_prob(draws))

    drawn, random = aim.network.sample(PRIOR_DRAWS, seed), np.random.default_rng(seed)
    prior = np.stack([drawn[variable] for variable in aim.continuous], -1)
    density, spread = aim.log_density(tf.constant(prior)).numpy(), np.maximum(prior.std(0), 1e-3)
    tried = [random.choice(PRIOR_DRAWS, TRIED) for _ in range(starts)]
    locations = [prior[some[np.argmax(density[some])]] for some in tried]
    ended = climbs(elbo, shapes, [_start(shapes, location, spread, random) for location in locations])
    best, converged = judged(ended, name)
    parameters = unpacked(best.parameters, shapes)
    fresh = [
        float(elbo(parameters, tf.constant(standard_noise(family, dimensions, EVALUATION, seed + number))))
        for number in range(1, REPETITIONS + 1)
    ]
    evidence = quadrature(aim).log_evidence if dimensions <= MOST_DIMENSIONS else None
    return Fit(
        name, family.distribution(*parameters), aim.continuous, float(np.mean(fresh)),
        float(np.std(fresh, ddof=1) / np.sqrt(REPETITIONS)), best.trace, "reparameterised", [one.elbo for one in ended],
        converged, evidence,
    )  # fmt: skip


def _start(
    shapes: Sequence[tuple[int, ...]], location: np.ndarray, spread: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """A location, the prior's spread as scale, and almost nothing of what else a family has."""
    parts = [location, np.log(spread) if len(shapes[1]) == 1 else np.diag(np.log(spread))]
    parts += [0.01 * random.normal(size=shape) for shape in shapes[2:]]
    return np.concatenate([part.ravel() for part in parts])


def judged(ended: Sequence[Climb], name: str) -> tuple[Climb, bool]:
    """The highest, and whether it can be trusted: it arrived, and another start arrived at the same height."""
    ordered = sorted(ended, key=lambda one: -one.elbo)
    best = ordered[0]
    agreed = len(ordered) == 1 or best.elbo - ordered[1].elbo < AGREEMENT
    if not best.arrived:
        log.warning("%s: no start arrived in %d iterations; pass more starts or a simpler family", name, ITERATIONS)
    elif not agreed:
        log.warning("%s: only one of %d starts reached the highest ELBO; pass more starts", name, len(ended))
    return best, best.arrived and agreed
