"""The evidence lower bound of a set of images, as numbers."""

from typing import NamedTuple


class Elbo(NamedTuple):
    """The bound and its two terms, in nats. Each is a mean over images, with one posterior sample for each image."""

    elbo: float
    reconstruction_nll: float
    kl: float
