"""What `evaluate.py` can show about a trained model, one file each."""

from vae_keras.evaluation.attribute import attributes
from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.evaluation.curves import curves
from vae_keras.evaluation.dataset import dataset
from vae_keras.evaluation.directions import default_attribute
from vae_keras.evaluation.disentanglement import disentanglement
from vae_keras.evaluation.evidence import evidence
from vae_keras.evaluation.held_out import held_out
from vae_keras.evaluation.interpolation import interpolation
from vae_keras.evaluation.latent_map import latent_map
from vae_keras.evaluation.latents import latents
from vae_keras.evaluation.linear_baseline import linear_baseline
from vae_keras.evaluation.reconstructions import reconstructions
from vae_keras.evaluation.sample_quality import inception_quality, sample_quality
from vae_keras.evaluation.samples import samples
from vae_keras.evaluation.traversal import traversal

__all__ = [
    "Evaluation",
    "EvaluationContext",
    "attributes",
    "curves",
    "dataset",
    "default_attribute",
    "disentanglement",
    "evidence",
    "held_out",
    "inception_quality",
    "interpolation",
    "latent_map",
    "latents",
    "linear_baseline",
    "reconstructions",
    "sample_quality",
    "samples",
    "traversal",
]
