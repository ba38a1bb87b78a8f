"""Diagonal Gaussians: the density, the posterior and the divergence that a VAE is made of.

For q = N(mean, diag(exp(log_variance))) and p = N(0, I), the expectation of
log q(z) - log p(z) under q needs only E[z^2] = mean^2 + variance, and gives

    KL(q || p) = 1/2 sum_j (mean_j^2 + exp(log_variance_j) - 1 - log_variance_j)

(Kingma & Welling 2014, arXiv 1312.6114, appendix B). Everything is in nats.
"""

import math
from typing import NamedTuple

import numpy as np

from vae_keras.backend import Tensor, ops

LOG_VARIANCE_BOUND = 20.0


def log_density(value: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """log N(value; mean, exp(log_variance)) element by element, shape of the three broadcast together."""
    # answer: the log density of a normal distribution
    # -1/2 (log 2 pi + log variance + (value - mean)^2 / variance)
    return -0.5 * (math.log(2.0 * math.pi) + log_variance + ops.square(value - mean) * ops.exp(-log_variance))
    # end of answer


class Posterior(NamedTuple):
    """q(z | x) = N(mean, diag(exp(log_variance))), one for each image.

    Attributes:
        mean: (batch, latents).
        log_variance: (batch, latents).
    """

    mean: Tensor
    log_variance: Tensor

    def sample(self, n: int, seed: int) -> np.ndarray:
        """n latents from each q(z | x), (n, batch, latents); the same ones for the same seed."""
        return np.asarray(self.reparameterised(np.random.default_rng(seed).standard_normal((n, *self.mean.shape))))

    def reparameterised(self, noise: Tensor) -> Tensor:
        """z = mean + std noise, (..., batch, latents), for noise of that shape from N(0, I).

        A sample that is drawn from q directly has no derivative with respect to the parameters of q. Here the noise is
        an input, so z is differentiable in mean and log-variance (Kingma & Welling 2014, section 2.4).
        """
        # answer: the reparameterisation trick
        return self.mean + ops.exp(0.5 * self.log_variance) * noise
        # end of answer

    def log_prob(self, latents: Tensor) -> Tensor:
        """log q(z | x) at latents (..., batch, latents), (..., batch) in nats."""
        return ops.sum(log_density(latents, self.mean, self.log_variance), axis=-1)


def kl_to_standard_normal(posterior: Posterior) -> Tensor:
    """KL(q || N(0, I)), dimension by dimension.

    Args:
        posterior: mean and log-variance, each (batch, latents).

    Returns:
        (batch, latents) in nats; the sum over the last axis is the KL of the ELBO.
    """
    # answer: the KL in closed form
    mean, log_variance = posterior
    # 1/2 (mean^2 + variance - 1 - log variance)
    return 0.5 * (ops.square(mean) + ops.exp(log_variance) - 1.0 - log_variance)
    # end of answer


def bounded_log_variance(raw: Tensor) -> Tensor:
    """A network's output as a log-variance that exp cannot overflow, shape as given.

    20 tanh(raw / 20) is the identity to 1 % up to |raw| = 3.5 and, unlike a
    clip, lets a gradient through wherever the network has wandered.
    """
    return LOG_VARIANCE_BOUND * ops.tanh(raw / LOG_VARIANCE_BOUND)


def raw_log_variance(log_variance: np.ndarray) -> np.ndarray:
    """The network's output that `bounded_log_variance` turns into this log-variance, shape as given.

    Log-variances that it cannot reach count as 99 % of its bound.
    """
    return LOG_VARIANCE_BOUND * np.arctanh(np.clip(log_variance / LOG_VARIANCE_BOUND, -0.99, 0.99))
