"""The same posterior by variational inference, which finds it: the check that the optimiser's route is sound.

The surrogate has a Dirichlet(c) for each row of each table. With counts n and the prior a,

    ELBO = sum_k n_k E[log theta_k] - KL(Dirichlet(c) || Dirichlet(a))
    E[log theta_k] = digamma(c_k) - digamma(sum_j c_j)

summed over rows, is log p(observations) - KL(surrogate || posterior). The posterior is in the family, so at the maximum
the gap is zero and the ELBO is the log marginal likelihood (Blei, Kucukelbir & McAuliffe 2017, arXiv 1601.00670).

The ELBO bends by about n_k in log c_k, but by one half or so when all of a row's c grow together. So that one step suits
both, whatever the counts, the free numbers are s for each row and t_k for each entry, log c_k = s + t_k / sqrt(1 + n_k).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import minimize

from pgm_tfp.learning.dirichlet import count, prior_concentrations
from pgm_tfp.learning.observations import Observations
from pgm_tfp.learning.tables import Tables
from pgm_tfp.networks import BayesianNetwork

if TYPE_CHECKING:
    import tensorflow as tf

GRADIENT = 1e-7  # in nats for one of a free number; where it is smaller in each, the ELBO is at its maximum
MOST_ITERATIONS = 1000


class VariationalDirichlet(NamedTuple):
    """A fitted surrogate.

    Attributes:
        concentrations: by variable, (states of each parent..., states).
        elbo: at these, in nats.
        trace: the ELBO at the start and after each step of the optimiser, (steps + 1,), in nats.
    """

    concentrations: Tables
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
    shapes = [(*a.shape[:-1], a.shape[-1] + 1) for a in prior.values()]  # s, then t
    numbers = [int(np.prod(shape)) for shape in shapes]

    def concentrations(free: tf.Tensor) -> list[tf.Tensor]:
        parts = [tf.reshape(part, shape) for part, shape in zip(tf.split(free, numbers), shapes, strict=True)]
        return [
            tf.exp(part[..., :1] + part[..., 1:] / np.sqrt(1.0 + n))
            for part, n in zip(parts, counts.values(), strict=True)
        ]

    @tf.function
    def negative_elbo(free: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(free)
            rows = zip(concentrations(free), prior.values(), counts.values(), strict=True)
            value = -tf.add_n([_elbo(c, a, n) for c, a, n in rows])
        return value, tape.gradient(value, free)

    traced = negative_elbo.get_concrete_function(tf.TensorSpec([sum(numbers)], tf.float64))

    def evaluate(free: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = traced(tf.constant(free, tf.float64))
        return float(value), gradient.numpy()

    start = np.concatenate([np.insert(np.zeros(a.shape), 0, np.log(a[..., 0]), -1).ravel() for a in prior.values()])
    lowest, highest = [], []
    for a, n in zip(prior.values(), counts.values(), strict=True):
        reach = np.log1p(n.sum(-1, keepdims=True) / a[..., :1])
        zero = np.zeros_like(reach)
        lowest.append(np.concatenate([zero + np.log(a[..., :1]), -reach * np.sqrt(1.0 + n)], -1).ravel())
        highest.append(np.concatenate([reach + np.log(a[..., :1]), np.zeros_like(n)], -1).ravel())
    from scipy.optimize import Bounds

    trace = [-evaluate(start)[0]]
    found = minimize(
        evaluate,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=Bounds(np.concatenate(lowest), np.concatenate(highest)),
        callback=lambda intermediate_result: trace.append(-float(intermediate_result.fun)),
        options={"maxiter": MOST_ITERATIONS, "gtol": GRADIENT, "ftol": 0.0},
    )
    fitted = (c.numpy() for c in concentrations(tf.constant(found.x, tf.float64)))
    return VariationalDirichlet(dict(zip(prior, fitted, strict=True)), -float(found.fun), np.array(trace))


def _elbo(concentrations: tf.Tensor, prior: np.ndarray, counts: np.ndarray) -> tf.Tensor:
    """The ELBO of one table's rows, summed, in nats."""
    import tensorflow as tf
    from tensorflow_probability import distributions as tfd

    total = tf.reduce_sum(concentrations, -1, keepdims=True)
    expected_log = tf.math.digamma(concentrations) - tf.math.digamma(total)
    divergence = tfd.kl_divergence(tfd.Dirichlet(concentrations), tfd.Dirichlet(tf.constant(prior)))
    return tf.reduce_sum(counts * expected_log) - tf.reduce_sum(divergence)
