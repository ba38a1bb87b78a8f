"""Tables from complete data by variational inference: a check of the method where the exact posterior is known.

The surrogate is a Dirichlet(c) for each row of each table. With counts n and the prior a,

    ELBO = sum_k n_k E[log theta_k] - KL(Dirichlet(c) || Dirichlet(a))
    E[log theta_k] = digamma(c_k) - digamma(sum_j c_j)

summed over rows, is log p(observations) - KL(surrogate || posterior). The posterior belongs to the family. So at the
maximum the gap is zero, and the ELBO is the log evidence (Blei, Kucukelbir & McAuliffe 2017, arXiv 1601.00670).

The second derivative of the ELBO in log c_k is about -n_k, but only about -1/2 in the direction in which all c of a row
grow together. One step size must suit both, so the free parameters are s for each row and t_k for each entry,

    log c_k = s + t_k / sqrt(1 + n_k).

No entry is seen more often than its row, so the parameters are bounded such that
a^2 / (a + sum n) <= c_k <= a + sum n.
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
    """The surrogate with the highest ELBO.

    Attributes:
        concentrations: by variable, (states of each parent..., states).
        elbo: the ELBO at these concentrations, at most the log evidence, in nats.
        trace: the ELBO at the start and after each step of the optimiser, (steps + 1,), in nats.
    """

    concentrations: FamilyArrays
    elbo: float
    trace: np.ndarray

    @property
    def converged(self) -> bool:
        """Whether the optimiser stopped before its last permitted step."""
        return len(self.trace) <= MOST_ITERATIONS


def fit_variational_dirichlet(
    network: BayesianNetwork, observations: Observations, prior_counts: float = 1.0
) -> VariationalDirichlet:
    """The surrogate that maximises the ELBO, found by L-BFGS over all concentrations at once, from the prior.

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
    """Bounds and start of one table's free parameters, each (states of each parent..., 1 + states): s, then t."""

    lowest: np.ndarray
    highest: np.ndarray
    start: np.ndarray


def _box(prior: np.ndarray, counts: np.ndarray) -> Box:
    """The bounds of one table, and the prior as the start. s is the log of a row's largest c, so t is at most zero."""
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
