"""Figures: arrays in, a Matplotlib Figure out; nothing here trains, loads or saves.

Every figure carries its caption, so that it can be understood away from the page it was made for.
"""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

GAP = 2
INCHES_A_PICTURE = 0.95
TRAIN_COLOUR, VALIDATION_COLOUR = "#1f5a99", "#d1603d"
NO_COLOUR, YES_COLOUR = "#9db4cc", "#d1603d"
NAMED_GROUPS = 10  # more than this have no legend


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
    footing = 0.12 + 0.16 * len(textwrap.wrap(caption, _characters(grid_width)))
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
    _title_and_caption(figure, title, caption)
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


def latent_bars(kl: np.ndarray, std: np.ndarray, names: Sequence[str], title: str, caption: str) -> Figure:
    """KL of each latent above the mean standard deviation of its posterior, (latents,) each, in the order given."""
    figure = Figure(figsize=(max(6.5, min(12.0, 0.28 * len(kl))), 4.6), layout="constrained")
    above, below = figure.subplots(2, sharex=True)
    places = np.arange(len(kl))
    above.bar(places, kl, color=TRAIN_COLOUR, width=0.75)
    above.set_ylabel("KL (nats)")
    below.bar(places, std, color=NO_COLOUR, width=0.75)
    below.axhline(1.0, color="#333333", linewidth=0.8, linestyle=":")
    below.annotate("prior", (1.0, 1.0), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=8)
    below.set(ylabel="mean standard\ndeviation of q", ylim=(0, 1.2), xlabel="latent")
    every = max(1, len(kl) // 32)
    below.set_xticks(places[::every], names[::every], fontsize=7, rotation=90 if len(kl) > 24 else 0)
    for axes in (above, below):
        axes.grid(alpha=0.25, axis="y")
        axes.spines[["top", "right"]].set_visible(False)
        axes.margins(x=0.01)
    _title_and_caption(figure, title, caption)
    return figure


def maps(
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
        panels[-1].legend(fontsize=8, markerscale=1.5)
    cells = int(np.clip(np.sqrt(len(images)) / 2, 4, 16))
    grid = thumbnail_map(list(points.values())[-1], images, cells)
    pictures.imshow(grid.squeeze(), cmap="gray", vmin=0, vmax=1, interpolation="lanczos")
    pictures.set(title="the same, in pictures", xticks=[], yticks=[])
    pictures.title.set_fontsize(10)
    _title_and_caption(figure, title, caption)
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
        return [(TRAIN_COLOUR, "", np.ones(count, bool))]
    if values.dtype == bool:
        return [(NO_COLOUR, f"not {name}", ~values), (YES_COLOUR, name, values)]
    groups = np.unique(values)
    if len(groups) <= 2:
        colours = [NO_COLOUR, YES_COLOUR]
    else:
        colours = [
            colormaps["tab10" if len(groups) <= NAMED_GROUPS else "turbo"](share)
            for share in np.linspace(0, 1, len(groups))
        ]
    return [(colour, str(group), values == group) for colour, group in zip(colours, groups, strict=False)]


def distance_bars(distances: Mapping[str, Mapping[str, tuple[float, float]]], title: str, caption: str) -> Figure:
    """For each distance, a bar with its error for each set of pictures that was measured.

    Args:
        distances: by the name of the distance, then of the set: value and standard error (0 for none).
    """
    rows = max(map(len, distances.values()))
    figure = Figure(figsize=(4.8 * len(distances), 1.3 + 0.42 * rows), layout="constrained")
    for axes, (name, bars) in zip(np.atleast_1d(figure.subplots(1, len(distances))), distances.items(), strict=True):
        values, errors = np.array(list(bars.values())).T
        axes.barh(range(len(bars)), values, xerr=2 * errors, color=TRAIN_COLOUR, ecolor="#333333", height=0.6)
        axes.set_yticks(range(len(bars)), list(bars), fontsize=9)
        axes.invert_yaxis()
        axes.set_title(name, fontsize=10)
        axes.margins(x=0.22)
        for place, value in enumerate(values):
            axes.annotate(f" {value:.3g}", (max(value + 2 * errors[place], 0), place), va="center", fontsize=8)
        axes.grid(alpha=0.25, axis="x")
        axes.spines[["top", "right"]].set_visible(False)
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
    return int(inches * 15)
