"""The KL of a data set, split into mutual information, total correlation and dimension-wise KL.

`vae_keras.total_correlation` derives the parts. The sums over the aggregate posterior of N images are exact. Only z is
sampled, and each result has the standard error of this sampling. I(x; z) is at most log N, because it cannot exceed the
entropy of the choice among N images. It reaches log N if the latents identify each image.
"""

import math
from typing import NamedTuple

import numpy as np

from common.estimates import Estimate
from vae_keras.gaussians import Posterior
from vae_keras.priors import Prior, log_prior
from vae_keras.total_correlation import ESTIMATORS, KlParts, kl_parts

DENSITIES_AT_ONCE = 4_000_000


class KlSplit(NamedTuple):
    """The parts of the mean KL of n images, in nats: means over images and draws of z, with errors due to the draws.

    Attributes:
        total: the sum of the three parts at the same draws. It estimates the mean KL.
        kl: the mean KL to the prior, in closed form if the prior has one.
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
        """ln n, the upper bound of the mutual information on n images."""
        return math.log(self.images)


def split_kl(posterior: Posterior, prior: Prior, samples: int = 4, seed: int = 0) -> KlSplit:
    """The parts of the KL, with exact sums over the aggregate posterior of all images.

    Args:
        posterior: mean and log-variance, (n, latents) each. Time grows with n^2, memory does not.
        prior: p(z).
        samples: draws of z for each image, at least two.
    """
    posterior = Posterior(*(np.asarray(part, float) for part in posterior))
    images, latents = posterior.mean.shape
    log_weights = np.full((1, images), -math.log(images))
    rows = max(1, DENSITIES_AT_ONCE // (images * latents))
    draws = []
    for z in posterior.sample(samples, seed):
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
    """The parts of the KL, estimated from random batches as in training. Each batch represents all images.

    The standard error covers the draws of z and of the batches. It does not cover the bias of the estimate: the
    logarithm of an unbiased density is too low on average (Jensen's inequality), and more so for smaller batches.

    Args:
        posterior: mean and log-variance, (n, latents) each. Only whole batches are used, so each draw leaves out up to
            batch_size - 1 images.
        prior: p(z).
        estimator: a name in `vae_keras.total_correlation.ESTIMATORS`.
        samples: draws of z for each image, at least two.
    """
    posterior = Posterior(*(np.asarray(part, float) for part in posterior))
    images = len(posterior.mean)
    size = min(batch_size, images)
    log_weights = ESTIMATORS[estimator](size, images)
    random = np.random.default_rng((seed, 1))
    draws = []
    for z in posterior.sample(samples, seed):
        order = random.permutation(images)[: images // size * size]
        pieces = [
            kl_parts(z[at], _rows(posterior, at), _rows(posterior, at), log_weights, log_prior(prior, z[at]))
            for at in order.reshape(-1, size)
        ]
        # Restore the original order of the images. An image that was left out gets the mean of the others.
        parts = np.full((len(KlParts._fields), images), np.nan)
        parts[:, order] = [np.concatenate(part) for part in zip(*pieces, strict=True)]
        draws.append(np.where(np.isnan(parts), np.nanmean(parts, axis=1, keepdims=True), parts))
    return _summary(np.array(draws), _mean_kl(posterior, prior, samples, seed))


def _rows(posterior: Posterior, at: slice | np.ndarray) -> Posterior:
    return Posterior(posterior.mean[at], posterior.log_variance[at])


def _mean_kl(posterior: Posterior, prior: Prior, samples: int, seed: int) -> float:
    """The KL, mean over images and draws of z. If the prior has a closed form, the draws have no effect."""
    single = Posterior(*(part.astype(np.float32) for part in posterior))  # as training computes it
    draws = (z.astype(np.float32) for z in posterior.sample(samples, seed))
    return float(np.mean([prior.kl(single, z) for z in draws]))


def _summary(draws: np.ndarray, kl: float) -> KlSplit:
    """Means and standard errors of the parts. The draws are (samples, parts, n)."""
    parts = [*draws.swapaxes(0, 1), draws.sum(axis=1)]
    information, correlation, dimension_wise, total = map(mean_over_draws, parts)
    return KlSplit(information, correlation, dimension_wise, total, kl, draws.shape[2])


def mean_over_draws(draws: np.ndarray) -> Estimate:
    """The mean over images and draws, (samples, n) with at least two samples; its error is that of the draws."""
    samples, images = draws.shape
    # Var(mean over images and draws) = sum_n Var_n / samples / n^2, with Var_n the variance over the draws of image n
    error = np.sqrt(np.sum(np.var(draws, axis=0, ddof=1)) / samples) / images
    return Estimate(float(draws.mean()), float(error))
