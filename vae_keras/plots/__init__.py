"""Figures made from arrays. Each function returns a Matplotlib Figure; none of them trains, loads or saves anything.

Every figure contains its caption, so a reader can understand the figure without the page that it was made for.
"""

from common.figures import add_to_caption, signed
from vae_keras.plots.charts import (
    compared_curves,
    distance_bars,
    error_bars,
    heat_map,
    latent_bars,
    ranked_curves,
    reading_rows,
    signed_heat_map,
    training_curves,
)
from vae_keras.plots.images import Animation, contact_sheet, image_animation, image_figure, image_grid
from vae_keras.plots.maps import scatter_maps, thumbnail_map

__all__ = [
    "Animation",
    "add_to_caption",
    "compared_curves",
    "contact_sheet",
    "distance_bars",
    "error_bars",
    "heat_map",
    "image_animation",
    "image_figure",
    "image_grid",
    "latent_bars",
    "ranked_curves",
    "reading_rows",
    "scatter_maps",
    "signed",
    "signed_heat_map",
    "thumbnail_map",
    "training_curves",
]
