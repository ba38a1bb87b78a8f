"""What the KL is made of on a data set: mutual information, total correlation, dimension-wise KL.

The parts are derived in `vae_keras.total_correlation`. Over the aggregate posterior of N images the sums are exact;
what is drawn is z, and its error is given. I(x; z) cannot exceed ln N, whatever the latents know: an image that is told
from all others by its latents is worth ln N nats, and no more can be seen on N images.
"""

import math
from typing import NamedTuple

import numpy as np

from vae_keras.gaussians import Posterior
from vae_keras.priors import Prior, log_prior
from vae_keras.total_correlation import ESTIMATORS, KlParts, kl_parts

DENSITIES_AT_ONCE = 4_000_000


class Estimate(NamedTuple):
    """A mean over images and draws of z, in nats, and the standard error that the draws leave."""

    value: float
    standard_error: float


class KlSplit(NamedTuple):
    """The parts of the mean KL of n images, in nats.

    Attributes:
        total: their sum, at the same draws; it misses the KL by no more than its error.
        kl: the mean KL by the prior, in closed form where there is one.
        images: n.
    """

    mutual_information: Estimate
    total_correlation: Estimate
    dimension_wise_kl: Estimate
    total: Estimate
    kl: float
    images: int

    @property
    def ceiling(self) -> float:
        """ln n, which the mutual information on n images cannot exceed."""
        return math.log(self.images)


def split_kl(posterior: Posterior, prior: Prior, samples: int = 4, seed: int = 0) -> KlSplit:
    """The parts by sums over the aggregate posterior of all images, `samples` >= 2 draws of z for each.

    Args:
        posterior: (n, latents) twice. Time grows with n^2, memory does not.
        prior: p(z).
    """
    posterior = Posterior(*(np.asarray(part, float) for part in posterior))
    images, latents = posterior.mean.shape
    log_weights = np.full((1, images), -math.log(images))
    rows = max(1, DENSITIES_AT_ONCE // (images * latents))
    draws = []
    for z in _draws(posterior, samples, seed):
        pieces = [
            kl_parts(z[at], _rows(posterior, at), posterior, log_weights, log_prior(prior, z[at]))
            for at in (slice(start, start + rows) for start in range(0, images, rows))
        ]
        draws.append([np.concatenate(part) for part in zip(*pieces, strict=True)])
    return _summary(np.array(draws), _mean_kl(posterior, prior, samples, seed))


def split_kl_by_minibatches(
    posterior: Posterior,
    prior: Prior,
    batch_size: int = 128,
    estimator: str = "stratified",
    samples: int = 4,
    seed: int = 0,
) -> KlSplit:
    """The same from random batches, each standing for all images, as training sees them.

    The error is that of the draws of z and of the batches; what it cannot show is the bias of the estimate, as the
    logarithm of an unbiased density is too low on average (Jensen), the more so the smaller the batch.

    Args:
        posterior: (n, latents) twice; batches are whole ones, so up to batch_size - 1 images are left out of a draw.
        estimator: a name in `vae_keras.total_correlation.ESTIMATORS`.
    """
    posterior = Posterior(*(np.asarray(part, float) for part in posterior))
    images = len(posterior.mean)
    size = min(batch_size, images)
    log_weights = ESTIMATORS[estimator](size, images)
    random = np.random.default_rng((seed, 1))
    draws = []
    for z in _draws(posterior, samples, seed):
        order = random.permutation(images)[: images // size * size]
        pieces = [
            kl_parts(z[at], _rows(posterior, at), _rows(posterior, at), log_weights, log_prior(prior, z[at]))
            for at in order.reshape(-1, size)
        ]
        # Images in their own order again; those left out have the mean of the others.
        parts = np.full((len(KlParts._fields), images), np.nan)
        parts[:, order] = [np.concatenate(part) for part in zip(*pieces, strict=True)]
        draws.append(np.where(np.isnan(parts), np.nanmean(parts, axis=1, keepdims=True), parts))
    return _summary(np.array(draws), _mean_kl(posterior, prior, samples, seed))


def _rows(posterior: Posterior, at: slice | np.ndarray) -> Posterior:
    return Posterior(posterior.mean[at], posterior.log_variance[at])


def _mean_kl(posterior: Posterior, prior: Prior, samples: int, seed: int) -> float:
    """The KL, mean over images and draws of z; the draws do not matter where it has a closed form."""
    single = Posterior(*(part.astype(np.float32) for part in posterior))  # as training computes it
    draws = (z.astype(np.float32) for z in _draws(posterior, samples, seed))
    return float(np.mean([prior.kl(single, z) for z in draws]))


def _draws(posterior: Posterior, samples: int, seed: int) -> np.ndarray:
    """Samples from each posterior, (samples, n, latents)."""
    noise = np.random.default_rng(seed).standard_normal((samples, *posterior.mean.shape))
    return np.asarray(posterior.sample(noise))


def _summary(draws: np.ndarray, kl: float) -> KlSplit:
    """Means and errors of the parts at all draws, (samples, parts, n)."""
    samples, _, images = draws.shape
    draws = np.concatenate([draws, draws.sum(axis=1, keepdims=True)], axis=1)
    # Var of the mean over images of means over draws, each image's variance by its own draws.
    errors = np.sqrt(np.sum(np.var(draws, axis=0, ddof=1), axis=-1) / samples) / images
    means = draws.mean(axis=(0, 2))
    parts = [Estimate(float(mean), float(error)) for mean, error in zip(means, errors, strict=True)]
    information, correlation, dimension_wise, total = parts
    return KlSplit(information, correlation, dimension_wise, total, kl, images)
