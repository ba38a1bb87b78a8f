"""What `evaluate.py` can show about a trained model, one file each."""

from vae_keras.exhibits.attribute import attributes
from vae_keras.exhibits.curves import curves
from vae_keras.exhibits.dataset import dataset
from vae_keras.exhibits.directions import default_attribute
from vae_keras.exhibits.disentanglement import disentanglement
from vae_keras.exhibits.evidence import evidence
from vae_keras.exhibits.held_out import held_out
from vae_keras.exhibits.interpolation import interpolation
from vae_keras.exhibits.latent_map import latent_map
from vae_keras.exhibits.latents import latents
from vae_keras.exhibits.linear_baseline import linear_baseline
from vae_keras.exhibits.reconstructions import reconstructions
from vae_keras.exhibits.sample_quality import inception_quality, sample_quality
from vae_keras.exhibits.samples import samples
from vae_keras.exhibits.study import Exhibit, Study
from vae_keras.exhibits.traversal import traversal

__all__ = [
    "Exhibit",
    "Study",
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
