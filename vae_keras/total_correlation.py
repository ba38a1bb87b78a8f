"""The parts of the KL: what the latents say of the image, of each other, and each on its own.

Let an image be drawn at random from N and z from its q(z | x), so that q(z) = 1/N sum_n q(z | x_n). Then

    E_x[KL(q(z | x) || p(z))] = I(x; z)                       mutual information, at most ln N
                              + KL(q(z) || prod_j q(z_j))     total correlation
                              + sum_j KL(q(z_j) || p(z_j))    dimension-wise KL

(Hoffman & Johnson 2016, "ELBO surgery"; Chen et al. 2018, arXiv 1802.04942, eq. 2; proved in
docs/theory/2-2-2-splitting-the-kl.md).
q(z) is a mixture of N Gaussians, so log q(z) is the logarithm of a sum over images, and its expectation is taken at
samples.

An estimate of q(z) is a weighted sum over those images that there are, and it enters the joint once:

    log q(z_i)   = logsumexp_n (log w_in + sum_j log q(z_ij | x_n))
    log q(z_ij)  = logsumexp_n (log w_in +       log q(z_ij | x_n))

Weights of 1/N over all N images make the sums exact; a batch of B stands for the rest in one of two ways.
Training and evaluation use the same functions.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from vae_keras.backend import Tensor, ops
from vae_keras.gaussians import Posterior, log_density


class KlParts(NamedTuple):
    """The three parts at one z from each of n posteriors, (n,) each, in nats; their means are the parts of the KL.

    Attributes:
        mutual_information: log q(z | x) - log q(z).
        total_correlation: log q(z) - sum_j log q(z_j).
        dimension_wise_kl: sum_j log q(z_j) - log p(z).
    """

    mutual_information: Tensor
    total_correlation: Tensor
    dimension_wise_kl: Tensor


def kl_parts(latents: Tensor, own: Posterior, images: Posterior, log_weights: Tensor, log_prior: Tensor) -> KlParts:
    """The parts at `latents`; they add up to log q(z | x) - log p(z) whatever the weights are.

    Args:
        latents: z_i from q(z | x_i), (n, latents).
        own: q(z | x_i), (n, latents) twice.
        images: the posteriors that q(z) is a mixture of, (m, latents) twice.
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

    Image i is one stratum of q(z_i) and counts for itself, 1/N. The N - 1 others are the second, and the batch holds
    M = B - 1 of them, each of which stands for (N - 1) / M: weight (N - 1) / (N M). A row sums to one, and over random
    batches the weighted sum of densities is q(z_i) in expectation. Chen et al. 2018 (eq. S6) give one of the M the
    weight (N - M) / (N M) and the others 1/M; averaged over which one that is, these are the same weights. A batch of
    one image stands for nothing else.
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

    Importance sampling of the batch (Chen et al. 2018, section 4.1). A row sums to 1/N instead of one: every density is
    the naive estimate of a batch, in which it stands for nothing but itself, divided by N. So beside that estimate the
    mutual information is larger by log N, the total correlation by (latents - 1) log N, and the dimension-wise KL
    smaller by latents log N. These are constants: values are off, gradients are the naive estimate's.
    """
    size = ops.cast(batch, "float32")
    return ops.zeros((batch, batch)) - math.log(training_images) - ops.log(size)


ESTIMATORS: dict[str, Callable[[Tensor, int], Tensor]] = {"stratified": stratified, "weighted": weighted}
