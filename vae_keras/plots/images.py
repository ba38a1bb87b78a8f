"""Grids of images, as figures and animations."""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from common.figures import BLUE, ORANGE, characters, open_axes, title_and_caption

GAP = 2
INCHES_PER_IMAGE = 0.95
BARS_INCHES = 1.7  # the height of bars below the images


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
    bars: Mapping[str, float] | None = None,
    bars_unit: str = "",
) -> Figure:
    """A figure with a title, a grid of images and a caption; below the images, bars if there are any.

    Args:
        images: (n, height, width, channels) in [0, 1].
        column_labels: texts above the columns.
        image_labels: texts in the upper left corner of each image.
        bars: numbers by name; the first has a colour of its own.
        bars_unit: of the numbers.
    """
    _, height, width, _ = images.shape
    rows = -(-len(images) // columns)
    grid_width, grid_height = columns * INCHES_PER_IMAGE, rows * INCHES_PER_IMAGE * height / width
    heading = 0.55 if column_labels else 0.35
    footing = 0.12 + 0.16 * len(textwrap.wrap(caption, characters(grid_width)))
    below = BARS_INCHES if bars else 0.0
    figure = Figure(figsize=(grid_width, grid_height + below + heading + footing), layout="constrained")
    if bars:
        axes, chart = figure.subplots(2, height_ratios=(grid_height, below))
        _vertical_bars(chart, bars, bars_unit)
    else:
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


def contact_sheet(strips: Mapping[str, np.ndarray], columns: Sequence[int], title: str, caption: str) -> Figure:
    """Grids of images below each other, each with its heading, and a caption.

    Args:
        strips: images (n, height, width, channels) in [0, 1], by heading.
        columns: of each grid.
    """
    grids = [image_grid(images, across) for images, across in zip(strips.values(), columns, strict=True)]
    width = max(columns) * INCHES_PER_IMAGE
    heights = [width * grid.shape[0] / max(other.shape[1] for other in grids) for grid in grids]
    footing = 0.12 + 0.16 * len(textwrap.wrap(caption, characters(width)))
    figure = Figure(figsize=(width, sum(heights) + 0.3 * len(grids) + 0.35 + footing), layout="constrained")
    rows = figure.subplots(len(grids), height_ratios=heights, squeeze=False)[:, 0]
    for axes, heading, grid in zip(rows, strips, grids, strict=True):
        axes.imshow(grid.squeeze(), cmap="gray", vmin=0, vmax=1, interpolation="lanczos")
        axes.set_title(heading, loc="left", fontsize=10, fontweight="bold")
        axes.set_anchor("W")
        axes.axis("off")
    title_and_caption(figure, title, caption)
    return figure


def _vertical_bars(axes: Axes, bars: Mapping[str, float], unit: str) -> None:
    """Draw a bar for each number, from left to right, above or below a line at zero."""
    places = range(len(bars))
    axes.bar(places, list(bars.values()), color=[ORANGE, *[BLUE] * (len(bars) - 1)], width=0.6)
    axes.axhline(0, color="#333333", linewidth=0.8)
    axes.set_xticks(places, list(bars), fontsize=7.5, rotation=25, ha="right", rotation_mode="anchor")
    axes.set_ylabel(unit, fontsize=8)
    axes.tick_params(axis="y", labelsize=7.5)
    axes.tick_params(axis="x", length=0)
    open_axes(axes, "y")


def image_animation(frames: np.ndarray, columns: int, title: str, caption: str, **labels: Any) -> Animation:
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
