"""Figures: arrays in, a Matplotlib Figure out; nothing here trains, loads or saves.

Every figure carries its caption, so that it can be understood away from the page it was made for.
"""

from common.figures import add_to_caption, signed
from vae_keras.plots.charts import distance_bars, error_bars, heat_map, latent_bars, race, training_curves
from vae_keras.plots.maps import scatter_maps, thumbnail_map
from vae_keras.plots.pictures import Animation, image_grid, picture_animation, picture_figure

__all__ = [
    "Animation",
    "add_to_caption",
    "distance_bars",
    "error_bars",
    "heat_map",
    "image_grid",
    "latent_bars",
    "picture_animation",
    "picture_figure",
    "race",
    "scatter_maps",
    "signed",
    "thumbnail_map",
    "training_curves",
]
