"""Surrogates of continuous posteriors: a draw is a differentiable function of fixed noise.

Each family turns noise e of a known distribution into z = T(e), and has a density. With the noise held fixed, the
Monte Carlo estimate of the ELBO is an ordinary function of the parameters, which L-BFGS climbs without a step size to
choose (Giordano, Ingram & Broderick 2024, "Black box variational inference with a deterministic objective"). The noise
is a scrambled Sobol sequence, whose error falls nearly as 1/samples (Buchholz, Wenzel & Mandt 2018).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from scipy.stats import laplace, norm, qmc

from common.errors import UserError, nearest

tfd, tfb = tfp.distributions, tfp.bijectors
RANK = 1  # of what a low-rank covariance adds to its diagonal
TAILS = np.log(2.0)


class Family(NamedTuple):
    """A family of distributions over R^d.

    Attributes:
        shapes: of its parameters, given d.
        distribution: from parameters, a `tfd.Distribution` of vectors (d,).
        draw: from parameters and noise (samples, noise dimensions), draws (samples, d).
        noise: dimensions of the noise, given d.
        quantile: of the noise's distribution.
    """

    shapes: Callable[[int], list[tuple[int, ...]]]
    distribution: Callable[..., tfp.distributions.Distribution]
    draw: Callable[..., tf.Tensor]
    noise: Callable[[int], int]
    quantile: Callable[[np.ndarray], np.ndarray]


def standard_noise(family: Family, dimensions: int, samples: int, seed: int) -> np.ndarray:
    """Noise of the family, (samples, noise dimensions), spread evenly."""
    points = qmc.Sobol(family.noise(dimensions), scramble=True, rng=seed).random(samples)
    return family.quantile(np.clip(points, 1e-12, 1 - 1e-12))


def _same(dimensions: int) -> int:
    return dimensions


def _normal(location: tf.Tensor, log_scale: tf.Tensor) -> tfp.distributions.Distribution:
    return tfd.MultivariateNormalDiag(location, tf.exp(log_scale))


def _laplace(location: tf.Tensor, log_scale: tf.Tensor) -> tfp.distributions.Distribution:
    return tfd.Independent(tfd.Laplace(location, tf.exp(log_scale)), 1)


def _scaled(location: tf.Tensor, log_scale: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    # z = location + scale e
    return location + tf.exp(log_scale) * noise


def _triangle(free: tf.Tensor) -> tf.Tensor:
    """A lower triangle with a positive diagonal, from a free matrix."""
    return tf.linalg.set_diag(tf.linalg.band_part(free, -1, 0), tf.exp(tf.linalg.diag_part(free)))


def _full(location: tf.Tensor, free: tf.Tensor) -> tfp.distributions.Distribution:
    return tfd.MultivariateNormalTriL(location, _triangle(free))


def _mixed(location: tf.Tensor, free: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    # z = location + L e
    return location + tf.linalg.matvec(_triangle(free), noise)


def _low_rank(location: tf.Tensor, log_scale: tf.Tensor, factor: tf.Tensor) -> tfp.distributions.Distribution:
    # In few dimensions a dense factor is cheap, and fails where the shortcut for low ranks returns nonsense.
    covariance = tf.linalg.diag(tf.exp(2.0 * log_scale)) + tf.matmul(factor, factor, transpose_b=True)
    return tfd.MultivariateNormalTriL(location, tf.linalg.cholesky(covariance))


def _low_rank_draw(location: tf.Tensor, log_scale: tf.Tensor, factor: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    # z = location + scale e_1 + U e_2, of covariance diag(scale^2) + U U'
    own = noise[:, : location.shape[0]]
    return location + tf.exp(log_scale) * own + tf.linalg.matvec(factor, noise[:, location.shape[0] :])


def _flow_map(
    location: tf.Tensor, free: tf.Tensor, skewness: tf.Tensor, log_tails: tf.Tensor
) -> tfp.bijectors.Bijector:
    """z = location + L sinh((arcsinh e + skewness) tails), up to a constant factor (Jones & Pewsey 2009)."""
    # Tails within a factor of two of the normal's: fitted to finitely many draws, freer ones end beyond the last draw.
    tails = tf.exp(TAILS * tf.tanh(log_tails))
    return tfb.Chain(
        [tfb.Shift(location), tfb.ScaleMatvecTriL(_triangle(free)), tfb.SinhArcsinh(tf.tanh(skewness), tails)]
    )


def _flow(*parameters: tf.Tensor) -> tfp.distributions.Distribution:
    location = parameters[0]
    base = tfd.MultivariateNormalDiag(tf.zeros_like(location), tf.ones_like(location))
    return tfd.TransformedDistribution(base, _flow_map(*parameters))


def _flow_draw(*parameters: tf.Tensor) -> tf.Tensor:
    return _flow_map(*parameters[:-1]).forward(parameters[-1])


FAMILIES = {
    "normal": Family(lambda d: [(d,), (d,)], _normal, _scaled, _same, norm.ppf),
    "low_rank_normal": Family(
        lambda d: [(d,), (d,), (d, RANK)], _low_rank, _low_rank_draw, lambda d: d + RANK, norm.ppf
    ),
    "full_normal": Family(lambda d: [(d,), (d, d)], _full, _mixed, _same, norm.ppf),
    "flow": Family(lambda d: [(d,), (d, d), (d,), (d,)], _flow, _flow_draw, _same, norm.ppf),
    "laplace": Family(lambda d: [(d,), (d,)], _laplace, _scaled, _same, laplace.ppf),
}


def family_named(name: str, others: tuple[str, ...] = ()) -> Family:
    """A family by its name; UserError where there is none."""
    if name not in FAMILIES:
        raise UserError(f"unknown family {name}; {nearest(name, [*others, *FAMILIES])}")
    return FAMILIES[name]
