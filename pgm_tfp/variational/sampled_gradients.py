"""Maximises the ELBO of a discrete surrogate by gradients from samples, where there are too many joint states.

A discrete draw has no derivative, so there is no reparameterisation gradient. The score function has one (Williams
1992; Ranganath, Gerrish & Blei 2014), with high variance. VIMCO maximises a bound that uses a group of draws, and
compares each draw with the others of its group (Mnih & Rezende 2016). That bound is not the ELBO: a surrogate that is
too wide loses little by it.

VIMCO is TensorFlow Probability's. The score function is written here, because TensorFlow Probability's has no baseline:
on the server room's mean field its gradient has several times the variance (a test measures it).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from pgm_tfp.variational.family import Settings, log, starts_agree
from pgm_tfp.variational.fits import MOST_STANDARD_ERRORS, Fit
from pgm_tfp.variational.tables import Structure, as_network, distribution, draw, enumerated_elbo, log_q
from pgm_tfp.variational.targets import Target

SAMPLES = 64  # for one gradient
GROUP = 8  # draws that VIMCO compares with each other
STEPS, RATE = 1_500, 0.05
EVALUATION = 20_000  # draws
STILL_RISING = 0.02  # nats by which the last eighth of a converged trace may lie above the eighth before it
AGREEMENT = 0.02  # nats, in addition to standard errors, by which the best start may exceed the second best

Logits = Sequence[tf.Tensor]


class TableDistribution:
    """A surrogate in the form that `tfp.vi` expects; its values are tensors of state indices, (..., variables)."""

    reparameterization_type = tfp.distributions.NOT_REPARAMETERIZED

    def __init__(self, structure: Structure, logits: Logits):
        self.structure, self.logits = structure, logits

    def sample(self, sample_shape: Any, seed: Any) -> tf.Tensor:
        return tf.stack(list(draw(self.structure, self.logits, sample_shape, seed).values()), -1)

    def log_prob(self, values: tf.Tensor) -> tf.Tensor:
        return log_q(self.structure, self.logits, self.by_name(values))

    def by_name(self, values: tf.Tensor) -> dict[str, tf.Tensor]:
        """State indices by variable."""
        return dict(zip(self.structure.parents, tf.unstack(values, axis=-1), strict=True))


def score_function_loss(target: Target, structure: Structure, logits: Logits, seed: tf.Tensor) -> tf.Tensor:
    """An estimate of -ELBO whose gradient is the score function's, with the mean of the other draws as baseline."""
    values = draw(structure, logits, (SAMPLES,), seed)
    log_surrogate = log_q(structure, logits, values)
    # grad E_q[f] = E_q[f grad log q], f = log p - log q; subtracting the others' mean changes no expectation
    value = tf.stop_gradient(target.log_weight(values) - log_surrogate)
    baseline = (tf.reduce_sum(value) - value) / (SAMPLES - 1)
    with_gradient = (value - baseline) * log_surrogate
    return -tf.reduce_mean(value + with_gradient - tf.stop_gradient(with_gradient))


def vimco_loss(target: Target, structure: Structure, logits: Logits, seed: tf.Tensor) -> tf.Tensor:
    """An estimate of minus the bound E[log mean_k p(x_k, e) / q(x_k)] over groups of draws, with VIMCO's gradient."""
    surrogate = TableDistribution(structure, logits)
    return tf.reduce_mean(
        tfp.vi.monte_carlo_variational_loss(
            lambda values: target.log_weight(surrogate.by_name(values)),
            surrogate,
            sample_size=SAMPLES // GROUP,
            importance_sample_size=GROUP,
            gradient_estimator=tfp.vi.GradientEstimators.VIMCO,
            seed=seed,
        )
    )


LOSSES: dict[str, Callable[[Target, Structure, Logits, tf.Tensor], tf.Tensor]] = {
    "score_function": score_function_loss,
    "vimco": vimco_loss,
}


def fit_by_score_function(target: Target, structure: Structure, settings: Settings, family: str) -> Fit:
    """Stochastic gradient ascent on the ELBO, from several random starts."""
    return _fit("score_function", target, structure, settings, family)


def fit_by_vimco(target: Target, structure: Structure, settings: Settings, family: str) -> Fit:
    """Stochastic gradient ascent on VIMCO's bound, from several random starts."""
    return _fit("vimco", target, structure, settings, family)


def _fit(estimator: str, target: Target, structure: Structure, settings: Settings, family: str) -> Fit:
    seeds = range(settings.seed, settings.seed + settings.starts)
    runs = [ascend(target, structure, estimator, seed, STEPS) for seed in seeds]
    elbos = [sampled_elbo(target, structure, logits, settings.seed) for logits, _ in runs]
    best = max(range(settings.starts), key=lambda number: elbos[number][0])
    (logits, trace), (elbo, error) = runs[best], elbos[best]
    allowed = AGREEMENT + MOST_STANDARD_ERRORS * max(one_error for _, one_error in elbos)
    converged = starts_agree([value for value, _ in elbos], allowed, family)
    if not has_levelled_off(trace):
        log.warning("%s: the ELBO was still rising at the last step; pass another seed or more starts", family)
        converged = False
    return Fit(
        family=family,
        target=target,
        surrogate=distribution(structure, logits),
        variables=target.discrete,
        elbo=elbo,
        elbo_error=error,
        trace=trace,
        algorithm=estimator,
        starts=[value for value, _ in elbos],
        converged=converged,
        network=as_network(target, structure, [table.numpy() for table in logits]),
    )


def ascend(
    target: Target, structure: Structure, estimator: str, seed: int, steps: int = STEPS
) -> tuple[list[tf.Tensor], np.ndarray]:
    """Adam (Kingma & Ba 2015) from random logits.

    Returns:
        The logits, averaged over the last quarter of the steps, and the estimate of the ELBO (or bound) at each step.
    """
    random = np.random.default_rng(seed)
    logits = [tf.Variable(random.normal(size=shape)) for shape in structure.shapes()]
    moments = [(tf.Variable(tf.zeros_like(table)), tf.Variable(tf.zeros_like(table))) for table in logits]
    averages = [tf.Variable(tf.zeros_like(table)) for table in logits]

    @tf.function
    def step(number: tf.Tensor) -> tf.Tensor:
        value, gradients = _value_and_gradients(target, structure, logits, estimator, tf.stack([seed, number]))
        taken = tf.cast(number + 1, tf.float64)
        rate = RATE * tf.minimum(tf.constant(1.0, tf.float64), 4.0 * (1.0 - taken / steps) + 0.02)
        for table, (first, second), average, gradient in zip(logits, moments, averages, gradients, strict=True):
            first.assign(0.9 * first + 0.1 * gradient)
            second.assign(0.999 * second + 0.001 * tf.square(gradient))
            corrected = (first / (1.0 - 0.9**taken)) / (tf.sqrt(second / (1.0 - 0.999**taken)) + 1e-8)
            table.assign_sub(rate * corrected)
            if number >= 3 * steps // 4:
                average.assign_add(table / (steps - 3 * steps // 4))
        return -value

    trace = np.array([float(step(tf.constant(number))) for number in range(steps)])
    return [tf.constant(average) for average in averages], trace


def sampled_elbo(target: Target, structure: Structure, logits: Logits, seed: int) -> tuple[float, float]:
    """The ELBO from many samples, and its standard error."""
    values = draw(structure, logits, (EVALUATION,), (seed, 0))
    terms = target.log_weight(values) - log_q(structure, logits, values)
    return float(tf.reduce_mean(terms)), float(tf.math.reduce_std(terms) / np.sqrt(EVALUATION))


def has_levelled_off(trace: np.ndarray) -> bool:
    """Whether the last eighth of the trace is no higher than the eighth before it, to within noise."""
    eighth = max(1, len(trace) // 8)
    last, before = trace[-eighth:], trace[-2 * eighth : -eighth]
    return bool(last.mean() - before.mean() < STILL_RISING + 2 * last.std() / np.sqrt(eighth))


def gradient_draws(
    target: Target, structure: Structure, logits: Logits, estimator: str, repetitions: int, seed: int = 0
) -> np.ndarray:
    """Independent estimates of the gradient of the ELBO (for VIMCO, of its bound), (repetitions, parameters)."""
    logits = [tf.convert_to_tensor(table) for table in logits]

    @tf.function
    def one(number: tf.Tensor) -> list[tf.Tensor]:
        return _value_and_gradients(target, structure, logits, estimator, tf.stack([seed, number]))[1]

    return np.stack([-_flat(one(tf.constant(number))) for number in range(repetitions)])


def exact_gradient(target: Target, structure: Structure, logits: Logits) -> np.ndarray:
    """The gradient of the ELBO by summing over all joint states, (parameters,)."""
    logits = [tf.convert_to_tensor(table) for table in logits]
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = enumerated_elbo(target, structure, logits)
    return _flat(tape.gradient(value, logits))


def _value_and_gradients(
    target: Target, structure: Structure, logits: Logits, estimator: str, seed: tf.Tensor
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = LOSSES[estimator](target, structure, logits, seed)
    return value, tape.gradient(value, logits)


def _flat(gradients: Sequence[tf.Tensor]) -> np.ndarray:
    return np.concatenate([gradient.numpy().ravel() for gradient in gradients])
