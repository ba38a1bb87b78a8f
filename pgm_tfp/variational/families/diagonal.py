"""Independent variables of location and scale: normal and Laplace."""

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from scipy.stats import laplace

from pgm_tfp.variational.reparameterised import Parameters, ReparameterisedFamily

tfd = tfp.distributions


class Normal(ReparameterisedFamily):
    """Independent normals."""

    name = "normal"

    def start(self, location: np.ndarray, scale: np.ndarray, random: np.random.Generator) -> dict[str, np.ndarray]:
        return location_and_scale(location, scale)

    def distribution(self, parameters: Parameters) -> tfp.distributions.Distribution:
        return tfd.MultivariateNormalDiag(parameters["location"], tf.exp(parameters["log_scale"]))

    def draw(self, parameters: Parameters, noise: tf.Tensor) -> tf.Tensor:
        return shifted_and_scaled(parameters, noise)


class Laplace(ReparameterisedFamily):
    """Independent Laplace distributions."""

    name = "laplace"

    def start(self, location: np.ndarray, scale: np.ndarray, random: np.random.Generator) -> dict[str, np.ndarray]:
        return location_and_scale(location, scale)

    def distribution(self, parameters: Parameters) -> tfp.distributions.Distribution:
        return tfd.Independent(tfd.Laplace(parameters["location"], tf.exp(parameters["log_scale"])), 1)

    def draw(self, parameters: Parameters, noise: tf.Tensor) -> tf.Tensor:
        return shifted_and_scaled(parameters, noise)

    def quantile(self, probabilities: np.ndarray) -> np.ndarray:
        return laplace.ppf(probabilities)


def location_and_scale(location: np.ndarray, scale: np.ndarray) -> dict[str, np.ndarray]:
    """Parameters of independent variables: location and log_scale, (d,) each."""
    return {"location": location, "log_scale": np.log(scale)}


def shifted_and_scaled(parameters: Parameters, noise: tf.Tensor) -> tf.Tensor:
    """z = location + scale e, (samples, d)."""
    return parameters["location"] + tf.exp(parameters["log_scale"]) * noise
