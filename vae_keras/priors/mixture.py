"""A Gaussian mixture as prior."""

import math

import numpy as np

from vae_keras.backend import Tensor, ops
from vae_keras.priors.prior import Prior


class Mixture(Prior):
    """p(z) = sum_k w_k N(z; m_k, C_k), a mixture of K Gaussians.

    Args:
        weights: w_k, positive with sum one, (K,).
        means: m_k, (K, latents).
        covariances: C_k, positive definite, (K, latents, latents).
    """

    def __init__(self, weights: np.ndarray, means: np.ndarray, covariances: np.ndarray):
        self.weights, self.means, self.covariances = weights, means, covariances
        self.latent_dim = means.shape[1]
        self._factors = np.linalg.cholesky(covariances)  # C_k = L_k L_k^T
        self._whitening = np.linalg.inv(self._factors)
        log_determinants = np.log(np.diagonal(self._factors, axis1=1, axis2=2)).sum(axis=1)
        self._log_scales = np.log(weights) - log_determinants - 0.5 * self.latent_dim * math.log(2 * math.pi)

    def log_prob(self, latents: Tensor) -> Tensor:
        latents = ops.convert_to_tensor(latents)
        means, whitening, log_scales = (
            ops.convert_to_tensor(constant, latents.dtype)
            for constant in (self.means, self._whitening, self._log_scales)
        )
        # log w_k + log N(z; m_k, C_k), with |L_k^-1 (z - m_k)|^2 for the quadratic form
        white = ops.einsum("...kd,ked->...ke", latents[..., None, :] - means, whitening)
        return ops.logsumexp(log_scales - 0.5 * ops.sum(ops.square(white), axis=-1), axis=-1)

    def sample(self, n: int, seed: int) -> np.ndarray:
        random = np.random.default_rng(seed)
        component = random.choice(len(self.weights), size=n, p=self.weights)
        noise = random.standard_normal((n, self.latent_dim))
        return (self.means[component] + np.einsum("nde,ne->nd", self._factors[component], noise)).astype(np.float32)
