"""Priors p(z), one file each."""

from vae_keras.priors.mixture import Mixture
from vae_keras.priors.prior import Prior, log_prior
from vae_keras.priors.standard_normal import StandardNormal
from vae_keras.registry import Registry

PRIORS: Registry = {"standard": StandardNormal}

__all__ = ["PRIORS", "Mixture", "Prior", "StandardNormal", "log_prior"]
