"""A VAE in which everything is known: linear decoder, Gaussian likelihood, a Gaussian q of any quality."""

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from tensorflow_probability import distributions as tfd

import vae_keras
from vae_keras.gaussians import LOG_VARIANCE_BOUND, log_density
from vae_keras.likelihoods import Likelihood, LikelihoodPart
from vae_keras.objectives import NegativeElbo

PIXELS, LATENTS, VARIANCE = 6, 2, 0.3


class LinearGaussian(Likelihood):
    """x ~ N(outputs, VARIANCE): the decoder's outputs are the mean itself."""

    is_density = True

    def nll(self, images, outputs):
        return -ops.sum(log_density(images, outputs, math.log(VARIANCE)), axis=(1, 2, 3))

    def mean(self, outputs):
        return outputs


@dataclass(frozen=True)
class Ready(LikelihoodPart):
    """A likelihood that is there already."""

    likelihood: Any

    def build(self):
        return self.likelihood


def linear_vae(weights, offset, posterior_weights, posterior_variances):
    """p(x|z) = N(W z + b, VARIANCE) and q(z|x) = N(V (x - b), diag(posterior variances))."""
    encoder = keras.Sequential([keras.Input((PIXELS, 1, 1)), layers.Flatten(), layers.Dense(2 * LATENTS)])
    raw = LOG_VARIANCE_BOUND * np.arctanh(np.log(posterior_variances) / LOG_VARIANCE_BOUND)
    kernel = np.concatenate([posterior_weights, np.zeros_like(posterior_weights)]).T
    encoder.layers[-1].set_weights([kernel, np.concatenate([-posterior_weights @ offset, raw])])
    decoder = keras.Sequential([keras.Input((LATENTS,)), layers.Dense(PIXELS), layers.Reshape((PIXELS, 1, 1))])
    decoder.layers[0].set_weights([weights.T, offset])
    return vae_keras.VAE(encoder, decoder, Ready(LinearGaussian()), NegativeElbo(), seed=0)


def linear_model():
    """W with orthogonal columns, so that the true posterior is diagonal; its exact evidence and posterior."""
    random = np.random.default_rng(4)
    orthogonal, _ = np.linalg.qr(random.normal(size=(PIXELS, LATENTS)))
    weights, offset = orthogonal * [2.0, 0.7], random.normal(size=PIXELS)
    precision = np.eye(LATENTS) + weights.T @ weights / VARIANCE
    covariance = np.linalg.inv(precision)
    evidence = tfd.MultivariateNormalFullCovariance(offset, weights @ weights.T + VARIANCE * np.eye(PIXELS))
    return weights, offset, covariance @ weights.T / VARIANCE, np.diag(covariance), evidence
