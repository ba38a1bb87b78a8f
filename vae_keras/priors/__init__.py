"""Priors p(z), one file each."""

from vae_keras.priors.flow import Flow
from vae_keras.priors.mixture import Mixture
from vae_keras.priors.prior import Encode, Prior, PriorPart, log_prior
from vae_keras.priors.standard_normal import Standard, StandardNormal
from vae_keras.priors.vamp import Vamp
from vae_keras.registry import Registry

PRIORS: Registry = {"standard": Standard, "vamp": Vamp, "flow": Flow}

__all__ = [
    "PRIORS",
    "Encode",
    "Flow",
    "Mixture",
    "Prior",
    "PriorPart",
    "Standard",
    "StandardNormal",
    "Vamp",
    "log_prior",
]
