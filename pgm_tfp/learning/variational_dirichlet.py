"""The same posterior by variational inference, which finds it: the check that the optimiser's route is sound.

The surrogate has a Dirichlet(c) for each row of each table. With counts n and the prior a,

    ELBO = sum_k n_k E[log theta_k] - KL(Dirichlet(c) || Dirichlet(a))
    E[log theta_k] = digamma(c_k) - digamma(sum_j c_j)

summed over rows, is log p(observations) - KL(surrogate || posterior). The posterior is in the family, so at the maximum
the gap is zero and the ELBO is the log marginal likelihood (Blei, Kucukelbir & McAuliffe 2017, arXiv 1601.00670).

The ELBO bends by about n_k in log c_k, but by one half or so where all of a row's c grow together. So that one step
suits both, however many the counts, the free numbers are s for each row and t_k for each entry,

    log c_k = s + t_k / sqrt(1 + n_k),

and because no entry is seen more often than its row, they may stay where a^2 / (a + sum n) <= c_k <= a + sum n.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import Bounds, minimize

from pgm_tfp.exact.rows import Observations
from pgm_tfp.learning.dirichlet import count, prior_concentrations
from pgm_tfp.learning.family_arrays import FamilyArrays
from pgm_tfp.networks import BayesianNetwork

if TYPE_CHECKING:
    import tensorflow as tf

log = logging.getLogger(__name__)

GRADIENT = 1e-7  # in nats for one of a free number; where it is smaller in each, the ELBO is at its maximum
MOST_ITERATIONS = 1000


class VariationalDirichlet(NamedTuple):
    """A fitted surrogate.

    Attributes:
        concentrations: by variable, (states of each parent..., states).
        elbo: at these, in nats.
        trace: the ELBO at the start and after each step of the optimiser, (steps + 1,), in nats.
    """

    concentrations: FamilyArrays
    elbo: float
    trace: np.ndarray


def fit_variational_dirichlet(
    network: BayesianNetwork, observations: Observations, prior_counts: float = 1.0
) -> VariationalDirichlet:
    """Maximise the ELBO over all concentrations at once by L-BFGS, from the prior.

    Args:
        network: its graph and states; its probabilities are not used.
        observations: by variable a column of states, without gaps.
        prior_counts: as for `fit_dirichlet`.

    Raises:
        UserError: as `fit_dirichlet`.
    """
    import tensorflow as tf  # with TensorFlow Probability ten times as slow to import as everything else here

    counts = count(network, observations)
    prior = prior_concentrations(network, prior_counts)
    boxes = [_box(prior[variable], n) for variable, n in counts.items()]
    lowest, highest, start = (np.concatenate([side.ravel() for side in sides]) for sides in zip(*boxes, strict=True))
    shapes = [box.lowest.shape for box in boxes]

    def concentrations(free: tf.Tensor) -> list[tf.Tensor]:
        parts = tf.split(free, [int(np.prod(shape)) for shape in shapes])
        split = [tf.reshape(part, shape) for part, shape in zip(parts, shapes, strict=True)]
        return [
            tf.exp(part[..., :1] + part[..., 1:] / np.sqrt(1.0 + n))
            for part, n in zip(split, counts.values(), strict=True)
        ]

    @tf.function
    def negative_elbo(free: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(free)
            rows = zip(concentrations(free), prior.values(), counts.values(), strict=True)
            value = -tf.add_n([_elbo(c, a, n) for c, a, n in rows])
        return value, tape.gradient(value, free)

    traced = negative_elbo.get_concrete_function(tf.TensorSpec(start.shape, tf.float64))

    def evaluate(free: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = traced(tf.constant(free, tf.float64))
        return float(value), gradient.numpy()

    trace = [-evaluate(start)[0]]
    found = minimize(
        evaluate,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=Bounds(lowest, highest),
        callback=lambda intermediate_result: trace.append(-float(intermediate_result.fun)),
        options={"maxiter": MOST_ITERATIONS, "gtol": GRADIENT, "ftol": 0.0},
    )
    if len(trace) > MOST_ITERATIONS:
        log.warning(
            "the ELBO had not converged after %d iterations: its gradient is up to %.1g; fit_dirichlet is exact",
            MOST_ITERATIONS,
            np.abs(found.jac).max(),
        )
    fitted = (c.numpy() for c in concentrations(tf.constant(found.x, tf.float64)))
    return VariationalDirichlet(dict(zip(prior, fitted, strict=True)), -float(found.fun), np.array(trace))


class Box(NamedTuple):
    """Where the free numbers of one table may lie, each (states of each parent..., 1 + states): s, then t."""

    lowest: np.ndarray
    highest: np.ndarray
    start: np.ndarray


def _box(prior: np.ndarray, counts: np.ndarray) -> Box:
    """s is the logarithm of the row's largest concentration, then no t is above zero; the start is the prior."""
    log_prior = np.log(prior[..., :1])
    growth = np.log1p(counts.sum(-1, keepdims=True) / prior[..., :1])  # log (a + sum n) / a
    zeros = np.zeros_like(counts)
    return Box(
        lowest=np.concatenate([log_prior, -growth * np.sqrt(1.0 + counts)], -1),
        highest=np.concatenate([log_prior + growth, zeros], -1),
        start=np.concatenate([log_prior, zeros], -1),
    )


def _elbo(concentrations: tf.Tensor, prior: np.ndarray, counts: np.ndarray) -> tf.Tensor:
    """The ELBO of one table's rows, summed, in nats."""
    from pgm_tfp.backend import tf, tfd

    total = tf.reduce_sum(concentrations, -1, keepdims=True)
    expected_log = tf.math.digamma(concentrations) - tf.math.digamma(total)
    divergence = tfd.kl_divergence(tfd.Dirichlet(concentrations), tfd.Dirichlet(tf.constant(prior)))
    return tf.reduce_sum(counts * expected_log) - tf.reduce_sum(divergence)
