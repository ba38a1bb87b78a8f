"""Maps of points in two dimensions, with a dot or an image for each point."""

from collections.abc import Mapping

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from common.figures import BLUE, ORANGE, PALE_BLUE, title_and_caption
from vae_keras.plots.images import image_grid

NAMED_GROUPS = 10  # no legend for more groups
MOST_CELLS = 16  # on each side of the map of images


def scatter_maps(
    points: Mapping[str, np.ndarray],
    values: np.ndarray | None,
    name: str,
    images: np.ndarray,
    title: str,
    caption: str,
) -> Figure:
    """A scatter plot for each set of points, coloured by values, and a map of images for the last set.

    Args:
        points: by the title of the plot, (n, 2).
        values: (n,) bool, float or names of groups. With None, all points have one colour.
        name: of the values.
        images: (n, height, width, channels) in [0, 1].
    """
    figure = Figure(figsize=(4.6 * (len(points) + 1), 5.1), layout="constrained")
    *panels, map_of_images = figure.subplots(1, len(points) + 1)
    size = float(np.clip(4000 / len(next(iter(points.values()))), 6, 40))
    for axes, (kind, places) in zip(panels, points.items(), strict=True):
        if values is not None and values.dtype.kind == "f":
            dots = axes.scatter(*places.T, c=values, s=size, cmap="viridis", linewidths=0)
        else:
            for colour, group, members in _groups(values, len(places), name):
                axes.scatter(*places[members].T, color=colour, s=size, label=group, linewidths=0, alpha=0.85)
        axes.set(title=kind, xticks=[], yticks=[])
        axes.title.set_fontsize(10)
        axes.set_aspect("equal", adjustable="datalim")
    if values is not None and values.dtype.kind == "f":
        figure.colorbar(dots, ax=panels, label=name, shrink=0.8)
    elif values is not None and len(np.unique(values)) <= NAMED_GROUPS:
        # The labels are passed to the legend, because by default a legend omits labels that begin with _.
        dots_of_groups = panels[-1].collections
        panels[-1].legend(dots_of_groups, [group.get_label() for group in dots_of_groups], fontsize=8, markerscale=1.5)
    cells = int(np.clip(np.sqrt(len(images)) / 2, 4, MOST_CELLS))
    grid = thumbnail_map(list(points.values())[-1], images, cells)
    map_of_images.imshow(grid.squeeze(), cmap="gray", vmin=0, vmax=1, interpolation="lanczos")
    map_of_images.set(title="the same points as images", xticks=[], yticks=[])
    map_of_images.title.set_fontsize(10)
    title_and_caption(figure, title, caption)
    return figure


def thumbnail_map(points: np.ndarray, images: np.ndarray, cells: int) -> np.ndarray:
    """A square grid that shows images at the positions of their points.

    Each cell shows the image whose point is nearest to the centre of the cell. Cells without points are white.

    Args:
        points: (n, 2).
        images: (n, height, width, channels) in [0, 1].
        cells: on each side of the grid.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    scaled = (points - low) / np.maximum(high - low, 1e-12) * cells
    cell = np.minimum(scaled.astype(int), cells - 1)
    distance = np.linalg.norm(scaled - cell - 0.5, axis=1)
    canvas = np.ones((cells, cells, *images.shape[1:]), np.float32)
    for place in np.argsort(-distance):  # the nearest is drawn last and covers the others
        column, row = cell[place]
        canvas[cells - 1 - row, column] = images[place]
    return image_grid(canvas.reshape(-1, *images.shape[1:]), cells)


def _groups(values: np.ndarray | None, count: int, name: str) -> list[tuple[object, str, np.ndarray]]:
    """The groups of points: for each, its colour, its label and its members, (count,) bool."""
    if values is None:
        return [(BLUE, "", np.ones(count, bool))]
    if values.dtype == bool:
        return [(PALE_BLUE, f"not {name}", ~values), (ORANGE, name, values)]
    groups = np.unique(values)
    palette = colormaps["tab10" if len(groups) <= NAMED_GROUPS else "turbo"]
    colours = [PALE_BLUE, ORANGE] if len(groups) == 2 else list(palette(np.linspace(0, 1, len(groups))))
    return [(colour, str(group), values == group) for colour, group in zip(colours, groups, strict=True)]
