"""Normals whose covariance is a diagonal plus a matrix of rank one."""

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from pgm_tfp.variational.families.diagonal import location_and_scale
from pgm_tfp.variational.reparameterised import Parameters, ReparameterisedFamily

RANK = 1
LITTLE = 0.01  # size of the low-rank factor at the start; at zero its gradient would vanish


class LowRankNormal(ReparameterisedFamily):
    """Normals with covariance diag(scale^2) + U U', U of shape (d, 1) (Ong, Nott & Smith 2018)."""

    name = "low_rank_normal"

    def start(self, location: np.ndarray, scale: np.ndarray, random: np.random.Generator) -> dict[str, np.ndarray]:
        factor = LITTLE * random.normal(size=(len(location), RANK))
        return {**location_and_scale(location, scale), "factor": factor}

    def distribution(self, parameters: Parameters) -> tfp.distributions.Distribution:
        # A dense Cholesky factor is cheap in few dimensions, and it fails where tfd.MultivariateNormalDiagPlusLowRank
        # would return wrong numbers.
        covariance = tf.linalg.diag(tf.exp(2.0 * parameters["log_scale"]))
        covariance += tf.matmul(parameters["factor"], parameters["factor"], transpose_b=True)
        return tfp.distributions.MultivariateNormalTriL(parameters["location"], tf.linalg.cholesky(covariance))

    def draw(self, parameters: Parameters, noise: tf.Tensor) -> tf.Tensor:
        # z = location + scale e_1 + U e_2
        dimensions = parameters["location"].shape[0]
        independent = tf.exp(parameters["log_scale"]) * noise[:, :dimensions]
        return parameters["location"] + independent + tf.linalg.matvec(parameters["factor"], noise[:, dimensions:])

    def noise_dimensions(self, dimensions: int) -> int:
        return dimensions + RANK
