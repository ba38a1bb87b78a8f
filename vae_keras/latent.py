"""Operations on latents: encode data sets, measure information, interpolate, traverse, find directions."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from data.images import Images, images_of
from data.pipelines import to_unit
from vae_keras.backend import tf
from vae_keras.gaussians import Posterior
from vae_keras.priors import Prior

if TYPE_CHECKING:
    from vae_keras.model import VAE

BATCH = 256
KNOTS, ROUNDS = 33, 200  # of the path along the prior's density
STEP, TENSION = 0.02, 0.1  # how far a knot moves in a round: as a share of the distance, and towards its neighbours
Path = Callable[[np.ndarray, np.ndarray, np.ndarray, Prior], np.ndarray]


def encode_images(vae: "VAE", images: Images | np.ndarray) -> Posterior:
    """The posteriors q(z | x) of many images, computed in batches.

    Args:
        images: n images of uint8 pixels.

    Returns:
        Mean and log-variance, each (n, latents) float32.
    """
    posteriors = [vae.encode(to_unit(batch)) for batch in images_of(images).batches(BATCH)]
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


def density_path(start: np.ndarray, end: np.ndarray, share: np.ndarray, prior: Prior) -> np.ndarray:
    """Points on a path that keeps to where the prior is dense, at shares (steps,) of its length: (steps, latents).

    The path begins as the straight line, a chain of knots with fixed ends. In each round a knot moves towards the
    middle of its neighbours, and up the gradient of log p(z) across the path; along the path it would only gather the
    knots in one place. Then the knots are spaced evenly again (the string method: E, Ren & Vanden-Eijnden 2002,
    Physical Review B 66, 052301). The path is better than its surroundings; another one may be better still.
    """
    distance = np.linalg.norm(end - start)
    knots = lerp(start, end, np.linspace(0, 1, KNOTS)).astype(np.float32)
    for remaining in np.linspace(1, 0, ROUNDS, endpoint=False):
        along = knots[2:] - knots[:-2]
        along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-12)
        gradient = _gradient_of_log_prob(prior, knots)[1:-1]
        across = gradient - np.sum(gradient * along, axis=1, keepdims=True) * along
        push = across / (1 + np.linalg.norm(across, axis=1, keepdims=True))
        middle = 0.5 * (knots[2:] + knots[:-2])
        knots[1:-1] += STEP * distance * remaining * push + TENSION * (middle - knots[1:-1])
        knots = _evenly_spaced(knots, np.linspace(0, 1, KNOTS))
    return _evenly_spaced(knots, np.asarray(share))


def _gradient_of_log_prob(prior: Prior, latents: np.ndarray) -> np.ndarray:
    """The gradient of log p at each of the latents, (n, latents)."""
    at = tf.constant(latents, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(at)
        total = tf.reduce_sum(prior.log_prob(at))
    return tape.gradient(total, at).numpy()


def _evenly_spaced(knots: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Points at shares (steps,) of the length of the chain of knots, (steps, latents)."""
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(knots, axis=0), axis=1))])
    if lengths[-1] == 0:
        return np.repeat(knots[:1], len(share), axis=0)
    return np.stack([np.interp(share * lengths[-1], lengths, column) for column in knots.T], axis=1).astype(knots.dtype)


PATHS: dict[str, Path] = {
    "spherical": lambda start, end, share, prior: slerp(start, end, share),
    "straight": lambda start, end, share, prior: lerp(start, end, share),
    "density": density_path,
}


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
