"""Figures: arrays in, a Matplotlib Figure out; nothing here trains, loads or saves.

Every figure carries its caption, so that it can be understood away from the page it was made for.
"""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

GAP = 2
INCHES_A_PICTURE = 0.95
TRAIN_COLOUR, VALIDATION_COLOUR = "#1f5a99", "#d1603d"


def image_grid(images: np.ndarray, columns: int) -> np.ndarray:
    """Pictures laid out row by row on white, two pixels apart.

    Args:
        images: (n, height, width, channels) in [0, 1].

    Returns:
        (rows (height + 2) - 2, columns (width + 2) - 2, channels) in [0, 1]; places without a picture are white.
    """
    count, height, width, channels = images.shape
    rows = -(-count // columns)
    grid = np.ones((rows * (height + GAP), columns * (width + GAP), channels), np.float32)
    for place, image in enumerate(images):
        top, left = place // columns * (height + GAP), place % columns * (width + GAP)
        grid[top : top + height, left : left + width] = image
    return grid[:-GAP, :-GAP]


def picture_figure(
    images: np.ndarray, columns: int, title: str, caption: str, column_labels: Sequence[str] = ()
) -> Figure:
    """A titled, captioned grid of pictures (n, height, width, channels) in [0, 1]."""
    _, height, width, _ = images.shape
    rows = -(-len(images) // columns)
    grid_width, grid_height = columns * INCHES_A_PICTURE, rows * INCHES_A_PICTURE * height / width
    heading = 0.55 if column_labels else 0.35
    footing = 0.2 + 0.16 * len(textwrap.wrap(caption, _characters(grid_width)))
    figure = Figure(figsize=(grid_width, grid_height + heading + footing), layout="constrained")
    axes = figure.subplots()
    axes.imshow(image_grid(images, columns).squeeze(), cmap="gray", vmin=0, vmax=1, interpolation="lanczos")
    axes.set_xticks(np.arange(len(column_labels)) * (width + GAP) + width / 2, column_labels)
    axes.set_yticks([])
    axes.xaxis.tick_top()
    axes.tick_params(length=0, labelsize=8)
    axes.spines[:].set_visible(False)
    _title_and_caption(figure, title, caption)
    return figure


def training_curves(history: Sequence[Mapping[str, float]], title: str, caption: str) -> Figure:
    """ELBO, reconstruction and KL of every epoch, train and, where there is one, validation."""
    figure = Figure(figsize=(10.5, 3.9), layout="constrained")
    panels = figure.subplots(1, 3)
    names = {"elbo": "ELBO", "reconstruction_nll": "reconstruction  -log p(x|z)", "kl": "KL(q(z|x) || p(z))"}
    epochs = [row["epoch"] for row in history]
    for axes, (term, name) in zip(panels, names.items(), strict=True):
        axes.plot(epochs, [row[term] for row in history], color=TRAIN_COLOUR, label="train")
        if f"val_{term}" in history[0]:
            axes.plot(epochs, [row[f"val_{term}"] for row in history], color=VALIDATION_COLOUR, label="validation")
        axes.set(title=name, xlabel="epoch", ylabel="nats per image")
        axes.title.set_fontsize(10)
        _focus(axes, [row[key] for row in history for key in (term, f"val_{term}") if key in row])
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].legend(frameon=False)
    _title_and_caption(figure, title, caption)
    return figure


def _focus(axes: Axes, values: Sequence[float]) -> None:
    """Show where a curve ends up: the first tenth of a run can be off the scale of all the rest."""
    if len(values) >= 20:
        low, high = np.percentile(values, [0, 100])
        settled_low, settled_high = np.percentile(values, [5, 95])
        margin = 0.4 * (settled_high - settled_low)
        axes.set_ylim(max(low, settled_low - margin) - 0.05 * margin, min(high, settled_high + margin) + 0.05 * margin)


def _title_and_caption(figure: Figure, title: str, caption: str) -> None:
    figure.suptitle(title, fontsize=12, fontweight="bold", x=0.01, ha="left", parse_math=False)
    text = textwrap.fill(caption, _characters(figure.get_figwidth()))
    figure.supxlabel(text, fontsize=8.5, x=0.01, ha="left", color="#333333", parse_math=False)


def _characters(inches: float) -> int:
    """How many characters of a caption fit on a line."""
    return int(inches * 16)
