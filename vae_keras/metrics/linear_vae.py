"""The best linear VAE, in closed form: what a Gaussian VAE has to beat.

With decoder mean W z + b and p(x | z) = N(W z + b, s2 I), the evidence is a Gaussian with covariance
W W^T + s2 I. Let L_1 > L_2 > ... be the eigenvalues of the training images' covariance (divided
by n) and U its eigenvectors. The W that maximises the evidence is

    W = U (L - s2 I)^1/2   over the eigenvalues above s2, at most as many as there are latents

whatever the fixed s2; where s2 is learned too, it is the mean of the eigenvalues left out. This is
probabilistic PCA (Tipping & Bishop 1999, J. R. Stat. Soc. B 61, eqs. 7 and 8). Its columns
are orthogonal, so the true posterior is a diagonal Gaussian that a linear encoder can give, and the ELBO is
the log evidence itself (Lucas et al. 2019, arXiv 1911.02469, section 4). With s2 = 0 it is PCA.
"""

import math
from typing import NamedTuple

import numpy as np
from sklearn.decomposition import PCA

from vae_keras.gaussians import Posterior, kl_to_standard_normal
from vae_keras.metrics.elbo import Elbo

FEWEST_IMAGES = 3  # that a linear VAE can be fitted on


class LinearVae(NamedTuple):
    """p(z) = N(0, I), p(x | z) = N(b + U (L - s2 I)^1/2 z, s2 I), for pictures of D pixels and channels.

    Attributes:
        mean: b, (D,).
        axes: U^T, orthonormal rows, (latents in use, D).
        eigenvalues: L, (latents in use,), each above `variance`.
        variance: s2, on the scale [0, 1] of pixels.
    """

    mean: np.ndarray
    axes: np.ndarray
    eigenvalues: np.ndarray
    variance: float

    def reconstruct(self, images: np.ndarray) -> np.ndarray:
        """Decoded posterior means, (n, ...) -> (n, ...); not confined to [0, 1]."""
        scores = self._scores(images)
        # b + W E[z | x] = b + U (1 - s2 / L) U^T (x - b)
        flat = self.mean + (scores * (1 - self.variance / self.eigenvalues)) @ self.axes
        return flat.reshape(images.shape)

    def elbo(self, images: np.ndarray) -> Elbo:
        """The ELBO, which is log p(x), and its terms; means over images (n, ...) in [0, 1], in nats."""
        scores = self._scores(images)
        pixels, latents = len(self.mean), len(self.eigenvalues)
        left_over = np.sum((_flat(images) - self.mean) ** 2, axis=1) - np.sum(scores**2, axis=1)
        # log N(x; b, U L U^T + s2 (I - U U^T))
        log_evidence = -0.5 * (
            pixels * math.log(2 * math.pi)
            + np.sum(np.log(self.eigenvalues))
            + (pixels - latents) * math.log(self.variance)
            + np.sum(scores**2 / self.eigenvalues, axis=1)
            + left_over / self.variance
        )
        # q(z | x) = N(L^-1 (L - s2 I)^1/2 U^T (x - b), s2 L^-1)
        mean = scores * np.sqrt(self.eigenvalues - self.variance) / self.eigenvalues
        log_variance = np.broadcast_to(np.log(self.variance / self.eigenvalues), mean.shape)
        kl = np.sum(kl_to_standard_normal(Posterior(mean, log_variance)), axis=1)
        return Elbo(*(float(np.mean(term)) for term in (log_evidence, -log_evidence - kl, kl)))

    def _scores(self, images: np.ndarray) -> np.ndarray:
        """U^T (x - b), (n, latents in use)."""
        return (_flat(images) - self.mean) @ self.axes.T


def fit_linear_vae(images: np.ndarray, latents: int, variance: float | None) -> LinearVae:
    """The linear VAE of highest evidence on these images.

    Args:
        images: (n, ...) in [0, 1], at least three.
        latents: how many it may use.
        variance: s2; None to learn it; 0 for PCA.
    """
    flat = _flat(images)
    count, pixels = flat.shape
    rank = min(count - 1, pixels)
    # A learned variance needs an eigenvalue to be left out.
    axes = min(latents, rank - 1 if variance is None else rank)
    # Both are exact; arpack computes the leading axes alone, but cannot give as many as there are pixels.
    pca = PCA(axes, svd_solver="arpack" if axes < min(count, pixels) else "full", random_state=0).fit(flat)
    # Scikit-learn divides by n - 1; maximum likelihood divides by n.
    eigenvalues = pca.explained_variance_ * (count - 1) / count
    if variance is None:
        total = float(flat.var(axis=0, dtype=np.float64).sum())
        rounding = total * float(np.finfo(np.float32).eps)
        variance = max(total - float(eigenvalues.sum()), rounding) / (pixels - axes)
    used = eigenvalues > variance
    return LinearVae(pca.mean_, pca.components_[used], eigenvalues[used], variance)


def _flat(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1)
