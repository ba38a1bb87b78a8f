"""Metrics of a trained VAE."""

from vae_keras.elbo import Elbo
from vae_keras.linear_vae import LinearVae, fit_linear_vae
from vae_keras.metrics.beta_vae_metric import beta_vae_score
from vae_keras.metrics.dci_scores import Dci, Importance, dci, dci_from_importance
from vae_keras.metrics.discrete import (
    binned,
    entropy,
    information_shares,
    mutual_information,
    mutual_information_matrix,
)
from vae_keras.metrics.explicitness_score import explicitness
from vae_keras.metrics.factor_vae_metric import factor_vae_score
from vae_keras.metrics.fidelity import Reading, read_off_latents, readings
from vae_keras.metrics.held_out_elbo import bits_per_dimension, elbo
from vae_keras.metrics.importance_weighted import importance_weighted_bound
from vae_keras.metrics.interventional_robustness_score import interventional_robustness
from vae_keras.metrics.kl_split import KlSplit, mean_over_draws, split_kl, split_kl_by_minibatches
from vae_keras.metrics.latent_activity import active_units
from vae_keras.metrics.mig import mutual_information_gap
from vae_keras.metrics.modularity_score import modularity, modularity_from_information
from vae_keras.metrics.reconstruction import psnr, reconstruction_quality, similarities, ssim
from vae_keras.metrics.sample_quality import frechet_distance, kernel_distance
from vae_keras.metrics.sap import sap_score
from vae_keras.metrics.scores import SCORES, ScoreFunction, all_scores, repeated
from vae_keras.metrics.total_correlation_score import gaussian_total_correlation

__all__ = [
    "SCORES",
    "Dci",
    "Elbo",
    "Importance",
    "KlSplit",
    "LinearVae",
    "Reading",
    "ScoreFunction",
    "active_units",
    "all_scores",
    "beta_vae_score",
    "binned",
    "bits_per_dimension",
    "dci",
    "dci_from_importance",
    "elbo",
    "entropy",
    "explicitness",
    "factor_vae_score",
    "fit_linear_vae",
    "frechet_distance",
    "gaussian_total_correlation",
    "importance_weighted_bound",
    "information_shares",
    "interventional_robustness",
    "kernel_distance",
    "mean_over_draws",
    "modularity",
    "modularity_from_information",
    "mutual_information",
    "mutual_information_gap",
    "mutual_information_matrix",
    "psnr",
    "read_off_latents",
    "readings",
    "reconstruction_quality",
    "repeated",
    "sap_score",
    "similarities",
    "split_kl",
    "split_kl_by_minibatches",
    "ssim",
]
