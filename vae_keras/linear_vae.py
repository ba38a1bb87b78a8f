"""The best linear VAE in closed form: a baseline for VAEs with a Gaussian likelihood.

The decoder's mean is W z + b, and p(x | z) = N(W z + b, s2 I). So p(x) is a Gaussian with covariance W W^T + s2 I. Let
L_1 > L_2 > ... be the eigenvalues of the covariance of the training images (divided by n), and U its eigenvectors. For
any fixed s2, the W that maximises the evidence is

    W = U (L - s2 I)^1/2   over the eigenvalues above s2, at most as many as there are latents

If s2 is learned too, it is the mean of the eigenvalues that W leaves out. This is probabilistic PCA (Tipping & Bishop
1999, J. R. Stat. Soc. B 61, eqs. 7 and 8). The columns of W are orthogonal, so the true posterior is a diagonal
Gaussian whose mean is linear in x. A linear encoder can represent this posterior, so the ELBO equals the log evidence
(Lucas et al. 2019, arXiv 1911.02469, section 4). With s2 = 0 this is PCA.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from sklearn.decomposition import PCA

from vae_keras.elbo import Elbo
from vae_keras.gaussians import Posterior, kl_to_standard_normal

FEWEST_IMAGES = 3  # a linear VAE cannot be fitted on fewer


class LinearVae(NamedTuple):
    """p(z) = N(0, I), p(x | z) = N(b + U (L - s2 I)^1/2 z, s2 I), for images with D = height x width x channels.

    Attributes:
        mean: b, (D,).
        axes: U^T, orthonormal rows, (latents in use, D).
        eigenvalues: L, (latents in use,), each above `variance`.
        variance: s2, for pixels in [0, 1].
    """

    mean: np.ndarray
    axes: np.ndarray
    eigenvalues: np.ndarray
    variance: float

    def reconstruct(self, images: np.ndarray) -> np.ndarray:
        """Decoded posterior means of images (n, ...), with the same shape. Values may lie outside [0, 1]."""
        scores = self._scores(images)
        # b + W E[z | x] = b + U (1 - s2 / L) U^T (x - b)
        flat = self.mean + (scores * (1 - self.variance / self.eigenvalues)) @ self.axes
        return flat.reshape(images.shape)

    def elbo(self, images: np.ndarray) -> Elbo:
        """The ELBO, which equals log p(x), and its terms: means over images (n, ...) in [0, 1], in nats."""
        return self.elbo_of_batches([images])

    def elbo_of_batches(self, batches: Iterable[np.ndarray]) -> Elbo:
        """The same over all images of these batches (n, ...)."""
        log_evidence, kl = map(np.concatenate, zip(*map(self._log_evidence_and_kl, batches), strict=True))
        return Elbo(*(float(np.mean(term)) for term in (log_evidence, -log_evidence - kl, kl)))

    def _log_evidence_and_kl(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of each image, (n,) twice."""
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
        return log_evidence, np.sum(kl_to_standard_normal(Posterior(mean, log_variance)), axis=1)

    def _scores(self, images: np.ndarray) -> np.ndarray:
        """U^T (x - b), (n, latents in use)."""
        return (_flat(images) - self.mean) @ self.axes.T


def fit_linear_vae(images: np.ndarray, latents: int, variance: float | None, overwrite: bool = False) -> LinearVae:
    """The linear VAE with the highest evidence on these images.

    Args:
        images: (n, ...) in [0, 1], at least three.
        latents: the largest number of latents.
        variance: s2. None learns s2 from the images; 0 gives PCA.
        overwrite: whether the array of images may be written to, which saves a copy of it.
    """
    flat = _flat(images)
    count, pixels = flat.shape
    rank = min(count - 1, pixels)
    # To learn s2, at least one eigenvalue must be left out.
    axes = min(latents, rank - 1 if variance is None else rank)
    # Both solvers are exact. arpack computes only the leading axes, but fewer than min(images, pixels) of them.
    solver = "arpack" if axes < min(count, pixels) else "full"
    if variance is None:
        total = _total_variance(flat)
    pca = PCA(axes, svd_solver=solver, random_state=0, copy=not overwrite).fit(flat)
    # Scikit-learn divides by n - 1; maximum likelihood divides by n.
    eigenvalues = pca.explained_variance_ * (count - 1) / count
    if variance is None:
        rounding = total * float(np.finfo(np.float32).eps)
        variance = max(total - float(eigenvalues.sum()), rounding) / (pixels - axes)
    used = eigenvalues > variance
    return LinearVae(pca.mean_, pca.components_[used], eigenvalues[used], variance)


def _total_variance(flat: np.ndarray, rows: int = 256) -> float:
    """The sum of the variances of all columns, in float64, without a copy of the whole array (n, pixels) in float64."""
    # sum_d mean_n (x_nd - mean_d)^2
    mean = flat.mean(axis=0, dtype=np.float64)
    blocks = (flat[start : start + rows] - mean for start in range(0, len(flat), rows))
    return sum(float(np.vdot(block, block)) for block in blocks) / len(flat)


def _flat(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1)
