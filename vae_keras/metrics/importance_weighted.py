"""The importance-weighted bound on log p(x), which is tighter than the ELBO.

    L_k = E[log 1/k sum_s p(x, z_s) / q(z_s | x)],  z_1 .. z_k from q(z | x)

For k = 1 this is the ELBO. The bound never falls as k grows, and it converges to log p(x) if the weights are bounded
(Burda et al. 2016, arXiv 1509.00519, theorem 1). The estimate is a lower bound in expectation for every q. A better q
needs fewer draws.
"""

from typing import TYPE_CHECKING

import numpy as np

from data.images import Images, images_of
from data.pipelines import to_unit
from vae_keras.backend import ops
from vae_keras.gaussians import Posterior
from vae_keras.priors import log_prior

if TYPE_CHECKING:
    from vae_keras.model import VAE

IMAGES_AT_ONCE = 16
DRAWS_AT_ONCE = 16


def importance_weighted_bound(vae: "VAE", images: Images | np.ndarray, samples: int = 64, seed: int = 0) -> np.ndarray:
    """One estimate of L_k for each image, (n,) float64, in nats.

    Args:
        images: n images of uint8 pixels.
        samples: k. The memory needed does not depend on k.
    """
    random = np.random.default_rng(seed)
    bounds = []
    for pixels in images_of(images).batches(IMAGES_AT_ONCE):
        batch = to_unit(pixels)
        log_sum = np.full(len(batch), -np.inf)
        for start in range(0, samples, DRAWS_AT_ONCE):
            draws = min(DRAWS_AT_ONCE, samples - start)
            noise = random.standard_normal((draws, len(batch), vae.latent_dim))
            log_sum = np.logaddexp(log_sum, np.logaddexp.reduce(log_weights(vae, batch, noise), axis=0))
        bounds.append(log_sum - np.log(samples))
    return np.concatenate(bounds)


def log_weights(vae: "VAE", images: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """log p(x, z) - log q(z | x) at z = mean + std noise, (draws, batch) float64.

    Args:
        images: (batch, height, width, channels) in [0, 1].
        noise: standard normal, (draws, batch, latents).
    """
    draws, batch, latents = noise.shape
    posterior = Posterior(*(np.asarray(part, float) for part in vae.encode(images)))
    z = np.asarray(posterior.reparameterised(noise))
    # log p(z) - log q(z | x)
    log_ratio = log_prior(vae.prior, z) - np.asarray(posterior.log_prob(z))
    repeated = ops.tile(images, (draws, 1, 1, 1))
    nll = vae.reconstruction_nll(repeated, z.reshape(draws * batch, latents).astype(np.float32))
    return log_ratio - np.asarray(nll, float).reshape(draws, batch)
