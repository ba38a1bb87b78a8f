"""What `evaluate.py` can show about a trained model, one file each."""

from vae_keras.exhibits.attribute import attribute, default_attribute
from vae_keras.exhibits.curves import curves
from vae_keras.exhibits.dataset import dataset
from vae_keras.exhibits.held_out import held_out
from vae_keras.exhibits.interpolation import interpolation
from vae_keras.exhibits.reconstructions import reconstructions
from vae_keras.exhibits.samples import samples
from vae_keras.exhibits.study import Exhibit, Study

__all__ = [
    "Exhibit",
    "Study",
    "attribute",
    "curves",
    "dataset",
    "default_attribute",
    "held_out",
    "interpolation",
    "reconstructions",
    "samples",
]
