"""Gradients of a discrete surrogate's ELBO from its samples, where the joint states are too many to sum over.

A discrete draw has no derivative, so the reparameterisation gradient does not exist. The score function's does
(Williams 1992; Ranganath, Gerrish & Blei 2014), with high variance; VIMCO climbs a bound of several samples, each
judged against the others (Mnih & Rezende 2016). That bound is not the ELBO: it forgives a surrogate that is too wide.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from pgm_tfp.variational.discrete import Structure, draw, enumerated_elbo, log_q
from pgm_tfp.variational.targets import Target

ESTIMATORS = ("score_function", "vimco")
SAMPLES = 64  # for one gradient; VIMCO takes them in groups
GROUP = 8
STEPS, RATE = 1_500, 0.05
EVALUATION = 20_000
SETTLED = 0.02  # nats by which the last eighth of a trace may lie above the one before it
AGREEMENT = 0.02  # nats, beside the standard errors, by which the best start may lead the second best


def loss(
    target: Target, structure: Structure, logits: Sequence[tf.Tensor], estimator: str, seed: tf.Tensor
) -> tf.Tensor:
    """An estimate of -ELBO (of VIMCO: of minus its bound) whose gradient is the estimator's."""
    group = GROUP if estimator == "vimco" else 1
    values = draw(structure, logits, (SAMPLES // group, group), seed)
    log_surrogate = log_q(structure, logits, values)
    log_weight = target.log_weight(values) - log_surrogate
    if estimator == "vimco":
        return -tf.reduce_mean(_vimco(log_weight, log_surrogate))
    # grad E_q[f] = E_q[f grad log q], f = log p - log q; less the mean of the other draws, which changes no expectation
    fixed = tf.stop_gradient(log_weight)
    others = (tf.reduce_sum(fixed) - fixed) / (SAMPLES - 1)
    surrogate_objective = (fixed - others) * log_surrogate
    return -tf.reduce_mean(fixed + surrogate_objective - tf.stop_gradient(surrogate_objective))


def _vimco(log_weight: tf.Tensor, log_surrogate: tf.Tensor) -> tf.Tensor:
    """log mean_k w_k for each group of draws, with the gradient of Mnih & Rezende 2016, eq. 9; (groups, draws) each."""
    count = tf.cast(tf.shape(log_weight)[1], tf.float64)
    bound = tf.reduce_logsumexp(log_weight, 1) - tf.math.log(count)
    fixed = tf.stop_gradient(log_weight)
    # Each draw's own weight replaced by the geometric mean of the others': what the bound would have been without it.
    mean_of_others = (tf.reduce_sum(fixed, 1, keepdims=True) - fixed) / (count - 1.0)
    replaced = tf.where(tf.eye(tf.shape(fixed)[1], dtype=tf.bool), mean_of_others[:, :, None], fixed[:, None, :])
    without = tf.reduce_logsumexp(replaced, 2) - tf.math.log(count)
    signal = tf.stop_gradient(bound[:, None] - without)
    through_samples = tf.reduce_sum(signal * log_surrogate, 1)
    return bound + through_samples - tf.stop_gradient(through_samples)


def climb(
    target: Target, structure: Structure, estimator: str, seed: int, steps: int = STEPS
) -> tuple[list[tf.Tensor], np.ndarray]:
    """Adam (Kingma & Ba 2015) on a sampled gradient; the average of the last quarter's logits, and the trace."""
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


def elbo(target: Target, structure: Structure, logits: Sequence[tf.Tensor], seed: int) -> tuple[float, float]:
    """The ELBO from many samples, and its standard error."""
    values = draw(structure, logits, (EVALUATION,), (seed, 0))
    terms = target.log_weight(values) - log_q(structure, logits, values)
    return float(tf.reduce_mean(terms)), float(tf.math.reduce_std(terms) / np.sqrt(EVALUATION))


def settled(trace: np.ndarray) -> bool:
    """Has the ELBO stopped rising: is the last eighth of the trace no higher than the one before it?"""
    eighth = max(1, len(trace) // 8)
    last, before = trace[-eighth:], trace[-2 * eighth : -eighth]
    return bool(last.mean() - before.mean() < SETTLED + 2 * last.std() / np.sqrt(eighth))


def gradient_draws(
    target: Target, structure: Structure, logits: Sequence[tf.Tensor], estimator: str, repetitions: int, seed: int = 0
) -> np.ndarray:
    """Independent estimates of the ELBO's gradient (VIMCO: of its bound's), (repetitions, parameters).

    "enumerated" gives the exact one, once.
    """
    logits = [tf.convert_to_tensor(table) for table in logits]
    if estimator == "enumerated":
        with tf.GradientTape() as tape:
            tape.watch(logits)
            value = enumerated_elbo(target, structure, logits)
        return _flat(tape.gradient(value, logits))[None]

    @tf.function
    def one(number: tf.Tensor) -> list[tf.Tensor]:
        return _value_and_gradients(target, structure, logits, estimator, tf.stack([seed, number]))[1]

    return np.stack([-_flat(one(tf.constant(number))) for number in range(repetitions)])


def _value_and_gradients(
    target: Target, structure: Structure, logits: Sequence[tf.Tensor], estimator: str, seed: tf.Tensor
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = loss(target, structure, logits, estimator, seed)
    return value, tape.gradient(value, logits)


def _flat(gradients: Sequence[tf.Tensor]) -> np.ndarray:
    return np.concatenate([gradient.numpy().ravel() for gradient in gradients])
