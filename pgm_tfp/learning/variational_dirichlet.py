"""The same posterior by variational inference, which finds it: the check that the optimiser's route is sound.

The surrogate has a Dirichlet(c) for each row of each table, c = exp(free numbers). With counts n and the prior a,

    ELBO = sum_k n_k E[log theta_k] - KL(Dirichlet(c) || Dirichlet(a))
    E[log theta_k] = digamma(c_k) - digamma(sum_j c_j)

summed over rows, is log p(observations) - KL(surrogate || posterior). The posterior is in the family, so at the maximum
the gap is zero and the ELBO is the log marginal likelihood (Blei, Kucukelbir & McAuliffe 2017, arXiv 1601.00670).
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

GRADIENT = 1e-7  # below it in every direction, in nats for a factor of e in a concentration, the ELBO is at its maximum
MOST_ITERATIONS = 1000
PAST_STEPS = 30  # from which L-BFGS learns the curvature; rows with many counts are far stiffer than rows with few


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
    cells = [prior[variable].size for variable in prior]

    def split(flat: tf.Tensor) -> list[tf.Tensor]:
        parts = tf.split(flat, cells)
        return [tf.reshape(part, a.shape) for part, a in zip(parts, prior.values(), strict=True)]

    @tf.function
    def negative_elbo(free: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(free)
            rows = zip(split(tf.exp(free)), prior.values(), counts.values(), strict=True)
            value = -tf.add_n([_elbo(c, a, n) for c, a, n in rows])
        return value, tape.gradient(value, free)

    traced = negative_elbo.get_concrete_function(tf.TensorSpec([sum(cells)], tf.float64))

    def evaluate(free: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = traced(tf.constant(free, tf.float64))
        return float(value), gradient.numpy()

    start = np.log(np.concatenate([a.ravel() for a in prior.values()]))
    trace = [-evaluate(start)[0]]
    found = minimize(
        evaluate,
        start,
        jac=True,
        method="L-BFGS-B",
        callback=lambda intermediate_result: trace.append(-float(intermediate_result.fun)),
        options={"maxiter": MOST_ITERATIONS, "maxcor": PAST_STEPS, "gtol": GRADIENT, "ftol": 0.0},
    )
    concentrations = [part.numpy() for part in split(tf.constant(np.exp(found.x), tf.float64))]
    return VariationalDirichlet(dict(zip(prior, concentrations, strict=True)), -float(found.fun), np.array(trace))


def _elbo(concentrations: tf.Tensor, prior: np.ndarray, counts: np.ndarray) -> tf.Tensor:
    """The ELBO of one table's rows, summed, in nats."""
    import tensorflow as tf
    from tensorflow_probability import distributions as tfd

    total = tf.reduce_sum(concentrations, -1, keepdims=True)
    expected_log = tf.math.digamma(concentrations) - tf.math.digamma(total)
    divergence = tfd.kl_divergence(tfd.Dirichlet(concentrations), tfd.Dirichlet(tf.constant(prior)))
    return tf.reduce_sum(counts * expected_log) - tf.reduce_sum(divergence)
