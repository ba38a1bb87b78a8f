"""Objectives: the quantities that training minimises, one file each."""

from vae_keras.objectives.annealed_vae import AnnealedVAE
from vae_keras.objectives.beta_tc_vae import BetaTCVAE
from vae_keras.objectives.beta_vae import BetaVAE
from vae_keras.objectives.factor_vae import FactorVAE
from vae_keras.objectives.negative_elbo import NegativeElbo
from vae_keras.objectives.objective import Objective
from vae_keras.registry import Registry

OBJECTIVES: Registry = {
    "vae": NegativeElbo,
    "beta_vae": BetaVAE,
    "annealed_vae": AnnealedVAE,
    "beta_tc_vae": BetaTCVAE,
    "factor_vae": FactorVAE,
}

__all__ = ["OBJECTIVES", "AnnealedVAE", "BetaTCVAE", "BetaVAE", "FactorVAE", "NegativeElbo", "Objective"]
