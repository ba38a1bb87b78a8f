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
from scipy.optimize import Bounds

from pgm_tfp.exact.rows import Observations
from pgm_tfp.learning.dirichlet import count, prior_concentrations
from pgm_tfp.learning.family_arrays import FamilyArrays
from pgm_tfp.maximisation import compiled, maximise, packed, unpacked
from pgm_tfp.networks import BayesianNetwork

if TYPE_CHECKING:
    import tensorflow as tf

log = logging.getLogger(__name__)

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
        # `Maximum.converged` is false, too, where rounding hides any further gain, as with very many rows.
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
    import tensorflow as tf

    counts = count(network, observations)
    prior = prior_concentrations(network, prior_counts)
    boxes = [_box(prior[variable], n) for variable, n in counts.items()]
    lowest, highest, start = (packed(sides) for sides in zip(*boxes, strict=True))
    shapes = [box.start.shape for box in boxes]

    def concentrations(free: list[tf.Tensor]) -> list[tf.Tensor]:
        # log c_k = s + t_k / sqrt(1 + n_k)
        return [
            tf.exp(part[..., :1] + part[..., 1:] / np.sqrt(1.0 + n))
            for part, n in zip(free, counts.values(), strict=True)
        ]

    def elbo(free: list[tf.Tensor]) -> tf.Tensor:
        return tf.add_n(
            [_elbo(*row) for row in zip(concentrations(free), prior.values(), counts.values(), strict=True)]
        )

    elbo_and_gradient = compiled(elbo, shapes)
    maximum = maximise(
        elbo_and_gradient,
        start,
        Bounds(lowest, highest),
        MOST_ITERATIONS,
        value_tolerance=0.0,  # the ELBO of many rows is large, and the tolerance is a share of it
    )
    fitted = [c.numpy() for c in concentrations(unpacked(maximum.parameters, shapes))]
    found = VariationalDirichlet(dict(zip(prior, fitted, strict=True)), maximum.value, maximum.trace)
    if not found.converged:
        log.warning(
            "the ELBO had not converged after %d iterations: its gradient is up to %.1g; fit_dirichlet is exact",
            MOST_ITERATIONS,
            np.abs(elbo_and_gradient(maximum.parameters)[1]).max(),
        )
    return found


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
