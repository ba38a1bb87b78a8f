"""A short normalising flow: correlated, skewed, with lighter or heavier tails than a normal."""

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from pgm_tfp.variational.families.full_normal import TRIANGLE, diagonal_triangle
from pgm_tfp.variational.reparameterised import Parameters, ReparameterisedFamily

tfd, tfb = tfp.distributions, tfp.bijectors

# Tails stay within a factor of two of the normal's. A fit to finitely many draws would otherwise put the tail beyond
# the last draw.
LOG_TAILS = np.log(2.0)
LITTLE = 0.01  # size of skewness and tails at the start


class Flow(ReparameterisedFamily):
    """z = location + L sinh((arcsinh e + skewness) tails), up to a constant factor (Jones & Pewsey 2009)."""

    name = "flow"

    def start(self, location: np.ndarray, scale: np.ndarray, random: np.random.Generator) -> dict[str, np.ndarray]:
        return {
            "location": location,
            "free": diagonal_triangle(scale),
            "skewness": LITTLE * random.normal(size=location.shape),
            "log_tails": LITTLE * random.normal(size=location.shape),
        }

    def distribution(self, parameters: Parameters) -> tfp.distributions.Distribution:
        zeros = tf.zeros_like(parameters["location"])
        base = tfd.MultivariateNormalDiag(zeros, tf.ones_like(zeros))
        return tfd.TransformedDistribution(base, self._bijector(parameters))

    def draw(self, parameters: Parameters, noise: tf.Tensor) -> tf.Tensor:
        return self._bijector(parameters).forward(noise)

    def _bijector(self, parameters: Parameters) -> tfp.bijectors.Bijector:
        tails = tf.exp(LOG_TAILS * tf.tanh(parameters["log_tails"]))
        return tfb.Chain(
            [
                tfb.Shift(parameters["location"]),
                tfb.ScaleMatvecTriL(TRIANGLE.forward(parameters["free"])),
                tfb.SinhArcsinh(tf.tanh(parameters["skewness"]), tails),
            ]
        )
