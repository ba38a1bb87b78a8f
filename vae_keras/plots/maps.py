"""Points in two dimensions, as dots and as the pictures they stand for."""

from collections.abc import Mapping

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from common.figures import BLUE, ORANGE, PALE_BLUE, title_and_caption
from vae_keras.plots.pictures import image_grid

NAMED_GROUPS = 10  # more than this have no legend
MOST_CELLS = 16  # a side of the map in pictures


def scatter_maps(
    points: Mapping[str, np.ndarray],
    values: np.ndarray | None,
    name: str,
    images: np.ndarray,
    title: str,
    caption: str,
) -> Figure:
    """A scatter plot for each set of points (n, 2), coloured by what is known about them; the last one in pictures too.

    Args:
        values: (n,) bool, numbers or names of groups; None to leave the points in one colour.
        name: what the values are.
        images: (n, height, width, channels) in [0, 1].
    """
    figure = Figure(figsize=(4.6 * (len(points) + 1), 5.1), layout="constrained")
    *panels, pictures = figure.subplots(1, len(points) + 1)
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
        # Named one by one: a legend by itself leaves out names that begin with _.
        dots_of_groups = panels[-1].collections
        panels[-1].legend(dots_of_groups, [group.get_label() for group in dots_of_groups], fontsize=8, markerscale=1.5)
    cells = int(np.clip(np.sqrt(len(images)) / 2, 4, MOST_CELLS))
    grid = thumbnail_map(list(points.values())[-1], images, cells)
    pictures.imshow(grid.squeeze(), cmap="gray", vmin=0, vmax=1, interpolation="lanczos")
    pictures.set(title="the same, in pictures", xticks=[], yticks=[])
    pictures.title.set_fontsize(10)
    title_and_caption(figure, title, caption)
    return figure


def thumbnail_map(points: np.ndarray, images: np.ndarray, cells: int) -> np.ndarray:
    """Pictures (n, height, width, channels) laid out where their points (n, 2) are, on a square of cells.

    Each cell shows the picture whose point is nearest to its centre, if any lies in it.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    scaled = (points - low) / np.maximum(high - low, 1e-12) * cells
    cell = np.minimum(scaled.astype(int), cells - 1)
    distance = np.linalg.norm(scaled - cell - 0.5, axis=1)
    canvas = np.ones((cells, cells, *images.shape[1:]), np.float32)
    for place in np.argsort(-distance):  # the nearest last, so that it stays
        column, row = cell[place]
        canvas[cells - 1 - row, column] = images[place]
    return image_grid(canvas.reshape(-1, *images.shape[1:]), cells)


def _groups(values: np.ndarray | None, count: int, name: str) -> list[tuple[object, str, np.ndarray]]:
    """Colour, name and members of each group of points."""
    if values is None:
        return [(BLUE, "", np.ones(count, bool))]
    if values.dtype == bool:
        return [(PALE_BLUE, f"not {name}", ~values), (ORANGE, name, values)]
    groups = np.unique(values)
    palette = colormaps["tab10" if len(groups) <= NAMED_GROUPS else "turbo"]
    colours = [PALE_BLUE, ORANGE] if len(groups) == 2 else list(palette(np.linspace(0, 1, len(groups))))
    return [(colour, str(group), values == group) for colour, group in zip(colours, groups, strict=True)]
