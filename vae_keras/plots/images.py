"""Grids of images, as figures and animations."""

import textwrap
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from common.figures import characters, title_and_caption

GAP = 2
INCHES_PER_IMAGE = 0.95


class Animation(NamedTuple):
    """An animated figure.

    Attributes:
        figure: the figure, which shows the first frame.
        show: draws a frame into the figure, by its number from 0.
        frames: the number of different frames, at least two. They are shown forwards, then backwards, and then again.
    """

    figure: Figure
    show: Callable[[int], None]
    frames: int


def image_grid(images: np.ndarray, columns: int, gap: int = GAP) -> np.ndarray:
    """One image that shows all images row by row, on white, with `gap` pixels between them.

    Args:
        images: (n, height, width, channels) in [0, 1].

    Returns:
        (rows (height + gap) - gap, columns (width + gap) - gap, channels) in [0, 1]. Places without an image are white.
    """
    count, height, width, channels = images.shape
    rows = -(-count // columns)
    grid = np.ones((rows * (height + gap) - gap, columns * (width + gap) - gap, channels), np.float32)
    for place, image in enumerate(images):
        top, left = place // columns * (height + gap), place % columns * (width + gap)
        grid[top : top + height, left : left + width] = image
    return grid


def image_figure(
    images: np.ndarray,
    columns: int,
    title: str,
    caption: str,
    column_labels: Sequence[str] = (),
    image_labels: Sequence[str] = (),
) -> Figure:
    """A figure with a title, a grid of images and a caption.

    Args:
        images: (n, height, width, channels) in [0, 1].
        column_labels: texts above the columns.
        image_labels: texts in the upper left corner of each image.
    """
    _, height, width, _ = images.shape
    rows = -(-len(images) // columns)
    grid_width, grid_height = columns * INCHES_PER_IMAGE, rows * INCHES_PER_IMAGE * height / width
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
    for place, label in enumerate(image_labels):
        left, top = place % columns * (width + GAP) + 0.04 * width, place // columns * (height + GAP) + 0.04 * height
        outline = [withStroke(linewidth=1.5, foreground="black")]
        axes.text(left, top, label, color="white", fontsize=7, va="top", path_effects=outline)
    title_and_caption(figure, title, caption)
    return figure


def image_animation(frames: np.ndarray, columns: int, title: str, caption: str, **labels: Sequence[str]) -> Animation:
    """An animated grid of images. The frames are shown forwards, then backwards.

    Args:
        frames: (frames, n, height, width, channels) in [0, 1].
        labels: the labels of `image_figure`.
    """
    figure = image_figure(frames[0], columns, title, caption, **labels)
    (grid,) = figure.axes[0].images

    def show(frame: int) -> None:
        grid.set_data(image_grid(frames[frame], columns).squeeze())

    return Animation(figure, show, len(frames))
