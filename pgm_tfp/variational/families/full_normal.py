"""Normals with any covariance, and the lower-triangular parameters that they share with the flow."""

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from pgm_tfp.variational.reparameterised import Parameters, ReparameterisedFamily

tfb = tfp.bijectors

# From d (d + 1) / 2 free numbers to a lower triangle with a positive diagonal.
TRIANGLE = tfb.FillScaleTriL(diag_bijector=tfb.Exp(), diag_shift=None)


class FullNormal(ReparameterisedFamily):
    """Normals with covariance L L', L a lower triangle."""

    name = "full_normal"

    def start(self, location: np.ndarray, scale: np.ndarray, random: np.random.Generator) -> dict[str, np.ndarray]:
        return {"location": location, "free": diagonal_triangle(scale)}

    def distribution(self, parameters: Parameters) -> tfp.distributions.Distribution:
        return tfp.distributions.MultivariateNormalTriL(parameters["location"], TRIANGLE.forward(parameters["free"]))

    def draw(self, parameters: Parameters, noise: tf.Tensor) -> tf.Tensor:
        # z = location + L e
        return parameters["location"] + tf.linalg.matvec(TRIANGLE.forward(parameters["free"]), noise)


def diagonal_triangle(scale: np.ndarray) -> np.ndarray:
    """The free numbers of a lower triangle that is diagonal, (d (d + 1) / 2,)."""
    return TRIANGLE.inverse(tf.constant(np.diag(scale))).numpy()
