"""Operations on latents: encode data sets, measure information, interpolate, traverse, find directions."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from data.pipelines import evaluation_batches
from vae_keras.gaussians import Posterior
from vae_keras.priors import Prior

if TYPE_CHECKING:
    from vae_keras.model import VAE

BATCH = 256
Path = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def encode_images(vae: "VAE", images: np.ndarray) -> Posterior:
    """The posteriors q(z | x) of many images, computed in batches.

    Args:
        images: (n, height, width, channels) uint8.

    Returns:
        Mean and log-variance, each (n, latents) float32.
    """
    posteriors = [vae.encode(batch) for batch in evaluation_batches(images, BATCH)]
    return Posterior(*(np.concatenate(parts) for parts in zip(*posteriors, strict=True)))


def decode_latents(vae: "VAE", latents: np.ndarray) -> np.ndarray:
    """Images in [0, 1], (..., height, width, channels), decoded from many latents (..., latents) in batches."""
    flat = np.asarray(latents, np.float32).reshape(-1, vae.latent_dim)
    batches = np.split(flat, range(BATCH, len(flat), BATCH))
    images = np.concatenate([np.asarray(vae.decode(batch)) for batch in batches])
    return images.reshape(*np.shape(latents)[:-1], *vae.image_shape)


class LatentInformation(NamedTuple):
    """How much each latent says about an image.

    Attributes:
        nats: (latents,) in nats.
        is_kl: whether `nats` is KL(q(z_j | x) || p(z_j)), whose sum is the KL of the ELBO. Otherwise it is an upper
            bound of the mutual information I(x; z_j).
    """

    nats: np.ndarray
    is_kl: bool

    @property
    def name(self) -> str:
        """The quantity, in a sentence."""
        return "KL" if self.is_kl else "information"

    @property
    def order(self) -> np.ndarray:
        """The indices of all latents, the most informative first, (latents,) int."""
        return np.argsort(-self.nats, kind="stable")


def information_of_latents(prior: Prior, posterior: Posterior) -> LatentInformation:
    """The KL of each latent, mean over images; a bound of its information if the prior has no KL of a single latent.

    The bound is the mean of KL(q(z_j | x) || N(m_j, s_j^2)), with m_j and s_j^2 the mean and the variance of z_j over
    all images and draws. It is I(x; z_j) + KL(q(z_j) || N(m_j, s_j^2)), and it needs no prior.

    Args:
        posterior: mean and log-variance, (n, latents) each.
    """
    kl = prior.kl_per_latent(posterior)
    if kl is not None:
        return LatentInformation(np.mean(kl, axis=0), is_kl=True)
    mean, log_variance = (np.asarray(part, float) for part in posterior)
    variance = np.mean(np.exp(log_variance), axis=0) + np.var(mean, axis=0)
    # E_x[KL(q(z_j | x) || N(m_j, s_j^2))] = 1/2 (log s_j^2 - E_x[log variance_j(x)])
    return LatentInformation(0.5 * (np.log(variance) - np.mean(log_variance, axis=0)), is_kl=False)


def lerp(start: np.ndarray, end: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Points on the straight line from start (latents,) to end, at shares (steps,) of its length: (steps, latents)."""
    share = np.asarray(share)[:, None]
    return (1 - share) * start + share * end


def slerp(start: np.ndarray, end: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Points on the arc from start (latents,) to end, at shares (steps,) of its angle: (steps, latents).

    The point at share t is sin((1 - t) w) / sin(w) start + sin(t w) / sin(w) end, where w is the angle between start
    and end (Shoemake 1985). In many dimensions, nearly all samples of N(0, I) lie near a sphere. The arc stays near
    this sphere, but the straight line leaves it (White 2016, arXiv 1609.04468). If start and end lie on one line
    through the origin, the arc is not unique, and the points of the straight line are returned.
    """
    # answer: the arc from one latent to another
    norms = np.linalg.norm(start) * np.linalg.norm(end)
    cosine = np.clip(start @ end / norms, -1.0, 1.0) if norms > 0 else 1.0
    angle = np.arccos(cosine)
    if np.sin(angle) < 1e-4:
        return lerp(start, end, share)
    share = np.asarray(share)[:, None]
    return (np.sin((1 - share) * angle) * start + np.sin(share * angle) * end) / np.sin(angle)
    # end of answer


PATHS: dict[str, Path] = {"spherical": slerp, "straight": lerp}


def traverse(latent: np.ndarray, dimensions: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Copies of a latent vector, each with one dimension set to one of the values: (dimensions, values, latents).

    Args:
        latent: (latents,).
        dimensions: the indices of the dimensions to change, (dimensions,).
        values: (values,).
    """
    moved = np.tile(latent, (len(dimensions), len(values), 1))
    moved[np.arange(len(dimensions)), :, dimensions] = values
    return moved


def attribute_direction(means: np.ndarray, has_attribute: np.ndarray) -> np.ndarray:
    """The assignment's direction of an attribute: mean latent with the attribute minus mean latent without, (latents,).

    Args:
        means: posterior means of the training images, (n, latents).
        has_attribute: (n,) bool. Both values must occur.
    """
    # answer: the direction of an attribute
    return means[has_attribute].mean(axis=0) - means[~has_attribute].mean(axis=0)
    # end of answer
