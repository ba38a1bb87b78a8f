"""The parts of the KL: mutual information, total correlation and dimension-wise KL.

Draw an image at random from N images, then z from its q(z | x). So q(z) = 1/N sum_n q(z | x_n), and

    E_x[KL(q(z | x) || p(z))] = I(x; z)                       mutual information, at most log N
                              + KL(q(z) || prod_j q(z_j))     total correlation
                              + sum_j KL(q(z_j) || p(z_j))    dimension-wise KL

(Hoffman & Johnson 2016, "ELBO surgery"; Chen et al. 2018, arXiv 1802.04942, eq. 2; proved in
docs/theory/2-2-2-splitting-the-kl.md). q(z) is a mixture of N Gaussians, so log q(z) is the logarithm of a sum over
images, and its expectation is estimated from samples of z.

q(z) and q(z_j) are estimated by weighted sums over the available images, with the same weights in both:

    log q(z_i)   = logsumexp_n (log w_in + sum_j log q(z_ij | x_n))
    log q(z_ij)  = logsumexp_n (log w_in +       log q(z_ij | x_n))

With weights 1/N over all N images, the sums are exact. With a batch of B images, the functions below give two choices
of the weights. Training and evaluation use the same functions.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from vae_keras.backend import Tensor, ops
from vae_keras.gaussians import Posterior, log_density


class KlParts(NamedTuple):
    """The three parts at one z from each of n posteriors, (n,) each, in nats. Their means estimate the parts of the KL.

    Attributes:
        mutual_information: log q(z | x) - log q(z).
        total_correlation: log q(z) - sum_j log q(z_j).
        dimension_wise_kl: sum_j log q(z_j) - log p(z).
    """

    mutual_information: Tensor
    total_correlation: Tensor
    dimension_wise_kl: Tensor


def kl_parts(latents: Tensor, own: Posterior, images: Posterior, log_weights: Tensor, log_prior: Tensor) -> KlParts:
    """The parts at `latents`. For any weights, their sum is log q(z | x) - log p(z).

    Args:
        latents: z_i from q(z | x_i), (n, latents).
        own: q(z | x_i), mean and log-variance (n, latents) each.
        images: the posteriors whose mixture is q(z), mean and log-variance (m, latents) each.
        log_weights: log w_in, (n, m).
        log_prior: log p(z_i), (n,).
    """
    # log q(z_ij | x_n), (n, m, latents)
    log_q = log_density(latents[:, None], images.mean[None], images.log_variance[None])
    log_weights = ops.cast(log_weights, log_q.dtype)
    log_q_joint = ops.logsumexp(log_weights + ops.sum(log_q, axis=-1), axis=1)
    log_q_apart = ops.sum(ops.logsumexp(log_weights[..., None] + log_q, axis=1), axis=-1)
    return KlParts(own.log_prob(latents) - log_q_joint, log_q_joint - log_q_apart, log_q_apart - log_prior)


def stratified(batch: Tensor, training_images: int) -> Tensor:
    """Log weights of the minibatch-stratified estimate, (batch, batch).

    q(z_i) has two strata. The first is image i itself, with weight 1/N. The second is the N - 1 other images. The batch
    contains M = B - 1 of them, and each represents (N - 1) / M images, so its weight is (N - 1) / (N M). A row of
    weights sums to one. Over random batches, the expectation of the weighted sum of densities is q(z_i). Chen et al.
    2018 (eq. S6) give one of the M images the weight (N - M) / (N M), and the others 1/M. The mean over the choice of
    this image gives the weights used here. If the batch has a single image, its weight is one.
    """
    # answer: the log weights of minibatch-stratified sampling
    own = ops.arange(batch)[:, None] == ops.arange(batch)[None]
    size = ops.cast(batch, "float32")
    n = float(training_images)
    log_of_others = math.log(max(n - 1.0, 1.0) / n) - ops.log(ops.maximum(size - 1.0, 1.0))
    log_of_own = ops.where(size > 1.0, -math.log(n), 0.0)
    return ops.where(own, log_of_own, log_of_others)
    # end of answer


def weighted(batch: Tensor, training_images: int) -> Tensor:
    """Log weights of the minibatch-weighted estimate, 1 / (N B) for every image, (batch, batch).

    This is importance sampling of the batch (Chen et al. 2018, section 4.1). A row sums to 1/N instead of one: each
    density is the naive estimate, which is the mean over the batch, divided by N. So compared with the naive estimate,
    the mutual information is larger by log N, the total correlation is larger by (latents - 1) log N, and the
    dimension-wise KL is smaller by latents log N. These differences are constants. So the gradients are those of the
    naive estimate, but the values are biased.
    """
    size = ops.cast(batch, "float32")
    return ops.zeros((batch, batch)) - math.log(training_images) - ops.log(size)


ESTIMATORS: dict[str, Callable[[Tensor, int], Tensor]] = {"stratified": stratified, "weighted": weighted}
