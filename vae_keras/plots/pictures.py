"""Grids of pictures, still and moving."""

import textwrap
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from common.figures import characters, title_and_caption

GAP = 2
INCHES_A_PICTURE = 0.95


class Animation(NamedTuple):
    """A figure that moves.

    Attributes:
        figure: what stays.
        show: draws the frame of that number into it.
        frames: how many there are; the last one leads back to the first.
    """

    figure: Figure
    show: Callable[[int], None]
    frames: int


def image_grid(images: np.ndarray, columns: int, gap: int = GAP) -> np.ndarray:
    """Pictures laid out row by row on white, `gap` pixels apart.

    Args:
        images: (n, height, width, channels) in [0, 1].

    Returns:
        (rows (height + gap) - gap, columns (width + gap) - gap, channels) in [0, 1]; places without a picture
        are white.
    """
    count, height, width, channels = images.shape
    rows = -(-count // columns)
    grid = np.ones((rows * (height + gap) - gap, columns * (width + gap) - gap, channels), np.float32)
    for place, image in enumerate(images):
        top, left = place // columns * (height + gap), place % columns * (width + gap)
        grid[top : top + height, left : left + width] = image
    return grid


def picture_figure(
    images: np.ndarray,
    columns: int,
    title: str,
    caption: str,
    column_labels: Sequence[str] = (),
    picture_labels: Sequence[str] = (),
) -> Figure:
    """A titled, captioned grid of pictures (n, height, width, channels) in [0, 1].

    Labels stand above the columns and in the corner of each picture.
    """
    _, height, width, _ = images.shape
    rows = -(-len(images) // columns)
    grid_width, grid_height = columns * INCHES_A_PICTURE, rows * INCHES_A_PICTURE * height / width
    heading = 0.55 if column_labels else 0.35
    footing = 0.12 + 0.16 * len(textwrap.wrap(caption, characters(grid_width)))
    figure = Figure(figsize=(grid_width, grid_height + heading + footing), layout="constrained")
    axes = figure.subplots()
    axes.imshow(image_grid(images, columns).squeeze(), cmap="gray", vmin=0, vmax=1, interpolation="lanczos")
    axes.set_xticks(np.arange(len(column_labels)) * (width + GAP) + width / 2, column_labels)
    axes.set_yticks([])
    axes.xaxis.tick_top()
    axes.tick_params(length=0, labelsize=8)
    axes.spines[:].set_visible(False)
    for place, label in enumerate(picture_labels):
        left, top = place % columns * (width + GAP) + 0.04 * width, place // columns * (height + GAP) + 0.04 * height
        outline = [withStroke(linewidth=1.5, foreground="black")]
        axes.text(left, top, label, color="white", fontsize=7, va="top", path_effects=outline)
    title_and_caption(figure, title, caption)
    return figure


def picture_animation(frames: np.ndarray, columns: int, title: str, caption: str, **labels: Sequence[str]) -> Animation:
    """A grid whose pictures (frames, n, height, width, channels) in [0, 1] move, there and back again.

    Args:
        labels: as `picture_figure` takes them.
    """
    figure = picture_figure(frames[0], columns, title, caption, **labels)
    (grid,) = figure.axes[0].images
    there_and_back = [*range(len(frames)), *range(len(frames) - 2, 0, -1)]

    def show(frame: int) -> None:
        grid.set_data(image_grid(frames[there_and_back[frame]], columns).squeeze())

    return Animation(figure, show, len(there_and_back))
