"""Moving about in latent space: encoding data sets, interpolating, and directions of attributes."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from data.pipelines import evaluation_batches
from vae_keras.gaussians import Posterior

if TYPE_CHECKING:
    from vae_keras.model import VAE

BATCH = 256
Path = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def encode_images(vae: "VAE", images: np.ndarray) -> Posterior:
    """q(z | x) of many images, in batches.

    Args:
        images: (n, height, width, channels) uint8.

    Returns:
        mean and log-variance, each (n, latents) float32.
    """
    posteriors = [vae.encode(batch) for batch in evaluation_batches(images, BATCH)]
    return Posterior(*(np.concatenate(parts) for parts in zip(*posteriors, strict=True)))


def decode_latents(vae: "VAE", latents: np.ndarray) -> np.ndarray:
    """Images in [0, 1], (..., height, width, channels), of many latents (..., latents), in batches."""
    flat = np.asarray(latents, np.float32).reshape(-1, vae.latent_dim)
    batches = np.split(flat, range(BATCH, len(flat), BATCH))
    images = np.concatenate([np.asarray(vae.decode(batch)) for batch in batches])
    return images.reshape(*np.shape(latents)[:-1], *vae.image_shape)


def lerp(start: np.ndarray, end: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Points on the straight line from start (latents,) to end, at shares (steps,) of it, (steps, latents)."""
    share = np.asarray(share)[:, None]
    return (1 - share) * start + share * end


def slerp(start: np.ndarray, end: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Points on the arc from start (latents,) to end, at shares (steps,) of the angle, (steps, latents).

    sin((1 - t) w) / sin(w) start + sin(t w) / sin(w) end, with w the angle between the
    two (Shoemake 1985). Under N(0, I) in many dimensions the mass lies near a sphere; the
    arc stays near it where the straight line cuts through the empty middle (White
    2016, arXiv 1609.04468). Along one line through the origin there is no single arc:
    the straight line is taken.
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
    """One latent (latents,) with one of its dimensions set to each of the values, (dimensions, values, latents)."""
    moved = np.tile(latent, (len(dimensions), len(values), 1))
    moved[np.arange(len(dimensions)), :, dimensions] = values
    return moved


def attribute_direction(means: np.ndarray, has_attribute: np.ndarray) -> np.ndarray:
    """The assignment's direction: mean latent with the attribute minus mean latent without, (latents,).

    Args:
        means: posterior means of the training images, (n, latents).
        has_attribute: (n,) bool, both values present.
    """
    # answer: the direction of an attribute
    return means[has_attribute].mean(axis=0) - means[~has_attribute].mean(axis=0)
    # end of answer
