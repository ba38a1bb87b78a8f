"""Charts of numbers: curves, bars and heat maps."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from common.figures import BLUE, COLOURS, ORANGE, PALE_BLUE, open_axes, signed, title_and_caption

MOST_WRITTEN = 40  # a heat map with more columns has no room for numbers


def training_curves(history: Sequence[Mapping[str, float]], title: str, caption: str) -> Figure:
    """Curves of ELBO, reconstruction and KL over the epochs, for train and (if there are any) validation images.

    Args:
        history: one row for each epoch, with `epoch`, the terms, and their `val_` values if there are any.
    """
    parts = {"train": "", "validation": "val_"}
    return _term_curves(
        {part: (history, prefix) for part, prefix in parts.items() if f"{prefix}elbo" in history[0]}, title, caption
    )


def compared_curves(histories: Mapping[str, Sequence[Mapping[str, float]]], title: str, caption: str) -> Figure:
    """Curves of ELBO, reconstruction and KL over the epochs, one for each run, on its validation images if it has any.

    Args:
        histories: the rows of each run, as for `training_curves`, by the name of the run.
    """
    curves = {name: (rows, "val_" if "val_elbo" in rows[0] else "") for name, rows in histories.items()}
    return _term_curves(curves, title, caption)


def _term_curves(curves: Mapping[str, tuple[Sequence[Mapping[str, float]], str]], title: str, caption: str) -> Figure:
    """A panel for each term with the curves by their labels; each has its rows and the prefix of its columns."""
    figure = Figure(figsize=(10.5, 3.9), layout="constrained")
    panels = figure.subplots(1, 3)
    names = {"elbo": "ELBO", "reconstruction_nll": "reconstruction  -log p(x|z)", "kl": "KL(q(z|x) || p(z))"}
    for axes, (term, name) in zip(panels, names.items(), strict=True):
        for place, (label, (rows, prefix)) in enumerate(curves.items()):
            epochs, values = zip(*((row["epoch"], row[prefix + term]) for row in rows), strict=True)
            axes.plot(epochs, values, color=COLOURS[place % len(COLOURS)], label=label)
        axes.set(title=name, xlabel="epoch", ylabel="nats per image")
        axes.title.set_fontsize(10)
        _focus(axes, [row[prefix + term] for rows, prefix in curves.values() for row in rows])
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        open_axes(axes, "both")
    panels[0].legend(frameon=False)
    title_and_caption(figure, title, caption)
    return figure


def latent_bars(
    nats: np.ndarray,
    std: np.ndarray,
    names: Sequence[str],
    title: str,
    caption: str,
    ylabel: str = "KL (nats)",
    prior_std: float | None = 1.0,
) -> Figure:
    """Two charts: the KL or the information of each latent, and below it the mean standard deviation of its posterior.

    Args:
        nats: (latents,).
        std: (latents,).
        names: of the latents, in the same order.
        ylabel: of the first chart.
        prior_std: the standard deviation of each latent under the prior, shown as a line; None for no line.
    """
    figure = Figure(figsize=(max(6.5, min(12.0, 0.28 * len(nats))), 4.6), layout="constrained")
    above, below = figure.subplots(2, sharex=True)
    places = np.arange(len(nats))
    above.bar(places, nats, color=BLUE, width=0.75)
    above.set_ylabel(ylabel)
    below.bar(places, std, color=PALE_BLUE, width=0.75)
    if prior_std is not None:
        below.axhline(prior_std, color="#333333", linewidth=0.8, linestyle=":")
        below.annotate(
            "prior", (1.0, prior_std), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=8
        )
    below.set(ylabel="mean standard\ndeviation of q", ylim=(0, 1.2 * max(prior_std or 0, *std)), xlabel="latent")
    every = max(1, len(nats) // 32)
    below.set_xticks(places[::every], names[::every], fontsize=7, rotation=90 if len(nats) > 24 else 0)
    for axes in (above, below):
        open_axes(axes, "y")
        axes.margins(x=0.01)
    title_and_caption(figure, title, caption)
    return figure


def distance_bars(distances: Mapping[str, Mapping[str, tuple[float, float]]], title: str, caption: str) -> Figure:
    """One chart for each distance. It has a bar with two standard errors for each set of images.

    Args:
        distances: by the name of the distance, then by the name of the set: the value and its standard error (0 if
            it has none).
    """
    rows = max(map(len, distances.values()))
    figure = Figure(figsize=(5.4 * len(distances), 1.3 + 0.42 * rows), layout="constrained")
    for axes, (name, bars) in zip(np.atleast_1d(figure.subplots(1, len(distances))), distances.items(), strict=True):
        _horizontal_bars(axes, bars)
        axes.set_title(name, fontsize=10)
    title_and_caption(figure, title, caption)
    return figure


def error_bars(bars: Mapping[str, tuple[float, float]], title: str, caption: str, unit: str) -> Figure:
    """A chart with one bar for each name: its value, with two standard errors.

    Args:
        bars: by name, the value and its standard error.
        unit: of the values.
    """
    figure = Figure(figsize=(7.0, 1.5 + 0.4 * len(bars)), layout="constrained")
    axes = figure.subplots()
    _horizontal_bars(axes, bars)
    axes.set_xlabel(unit)
    title_and_caption(figure, title, caption)
    return figure


def reading_rows(
    names: Sequence[str], readings: Mapping[str, Sequence[float]], title: str, caption: str, unit: str
) -> Figure:
    """One row for each name, with a point for each reading from 0 to 1; lines join the points of a row.

    Args:
        names: of the rows, from top to bottom.
        readings: by the name of the reading, a value for each row; up to three. The first is also written as a number.
            Values below 0 are drawn at 0.
        unit: of the values.
    """
    figure = Figure(figsize=(7.5, 1.9 + 0.3 * len(names)), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(names))
    values = np.clip(list(readings.values()), 0, 1)
    axes.hlines(places, values.min(axis=0), values.max(axis=0), color=PALE_BLUE, linewidth=2, zorder=1)
    styles = ((ORANGE, ORANGE), (BLUE, "white"), (BLUE, BLUE))
    for name, row, (edge, face) in zip(readings, values, styles, strict=False):
        axes.scatter(row, places, s=42, label=name, edgecolor=edge, facecolor=face, zorder=3)
    for place, value in zip(places, values[0], strict=True):
        axes.annotate(f"{value:.2f}", (1.06, place), va="center", fontsize=8.5, color=ORANGE, annotation_clip=False)
    axes.set_yticks(places, names, fontsize=9)
    axes.set(xlim=(-0.02, 1.02), xlabel=unit)
    axes.invert_yaxis()
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(readings), frameon=False, fontsize=9)
    open_axes(axes, "both")
    title_and_caption(figure, title, caption)
    return figure


def heat_map(
    shares: np.ndarray, rows: Sequence[str], columns: Sequence[str], title: str, caption: str, unit: str
) -> Figure:
    """A table of shares as shades. Shares of 0.1 and more are also written as numbers if there is room.

    Args:
        shares: (rows, columns), from 0 to 1.
        unit: the label of the colour bar.
    """
    width = float(np.clip(2.4 + 0.36 * len(columns), 6.0, 16.0))
    figure = Figure(figsize=(width, 1.7 + 0.3 * len(rows)), layout="constrained")
    axes = figure.subplots()
    shades = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_yticks(range(len(rows)), rows, fontsize=8.5)
    axes.set_xticks(range(len(columns)), columns, fontsize=7.5, rotation=90 if len(columns) > 16 else 0)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if len(columns) <= MOST_WRITTEN:
        for (row, column), share in np.ndenumerate(shares):
            if share >= 0.1:
                colour = "white" if share > 0.55 else "#333333"
                axes.text(column, row, f"{share:.1f}".lstrip("0"), ha="center", va="center", fontsize=7, color=colour)
    figure.colorbar(shades, ax=axes, label=unit, shrink=0.9, pad=0.01)
    title_and_caption(figure, title, caption)
    return figure


def signed_heat_map(
    values: np.ndarray, rows: Sequence[str], columns: Sequence[str], title: str, caption: str, unit: str
) -> Figure:
    """A table of numbers as shades of two colours, one for each sign.

    Args:
        values: (rows, columns).
        unit: the label of the colour bar.
    """
    figure = Figure(figsize=(2.6 + 0.55 * len(columns), 2.4 + 0.34 * len(rows)), layout="constrained")
    axes = figure.subplots()
    limit = max(float(np.abs(values).max()), 1e-9)
    shades = axes.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
    axes.set_yticks(range(len(rows)), rows, fontsize=8.5)
    axes.set_xticks(range(len(columns)), columns, fontsize=8, rotation=35, ha="right", rotation_mode="anchor")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for (row, column), value in np.ndenumerate(values):
        colour = "white" if abs(value) > 0.6 * limit else "#333333"
        axes.text(column, row, signed(round(value, 1)), ha="center", va="center", fontsize=7, color=colour)
    figure.colorbar(shades, ax=axes, label=unit, shrink=0.9, pad=0.01)
    title_and_caption(figure, title, caption)
    return figure


def ranked_curves(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]], title: str, caption: str, xlabel: str, ylabel: str
) -> Figure:
    """Curves whose last values are compared. The legend lists the curves from the highest last value to the lowest.

    The lower limit of the y axis is chosen so that the better three quarters of the curves fit, each without the first
    quarter of its x range. A curve that stays below this limit is not visible.

    Args:
        curves: by name, x and y. The first curve has the thickest line.
    """
    figure = Figure(figsize=(10.5, 5.2), layout="constrained")
    axes = figure.subplots()
    colours = [BLUE, *colormaps["tab20"](np.arange(20))]
    for place, (name, (x, y)) in enumerate(curves.items()):
        strong = place == 0
        axes.plot(x, y, color=colours[place], label=name, linewidth=2.6 if strong else 1.2, zorder=3 if strong else 2)
    ends = [y[x >= 0.25 * x[-1]] for x, y in curves.values()]
    low, high = float(np.percentile([y.min() for y in ends], 25)), max(y.max() for y in ends)
    axes.set(xlabel=xlabel, ylabel=ylabel, ylim=(low, high + 0.05 * (high - low)))
    open_axes(axes, "both")
    handles, names = axes.get_legend_handles_labels()
    order = sorted(range(len(names)), key=lambda place: -curves[names[place]][1][-1])
    axes.legend(
        [handles[place] for place in order], [names[place] for place in order],
        loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=9,
    )  # fmt: skip
    title_and_caption(figure, title, caption)
    return figure


def _horizontal_bars(axes: Axes, bars: Mapping[str, tuple[float, float]]) -> None:
    """Draw one bar for each name, from top to bottom, with two standard errors and the value as a number."""
    values, errors = np.array(list(bars.values())).T
    axes.barh(range(len(bars)), values, xerr=2 * errors, color=BLUE, ecolor="#333333", height=0.6)
    axes.set_yticks(range(len(bars)), list(bars), fontsize=9)
    axes.invert_yaxis()
    axes.margins(x=0.22)
    for place, value in enumerate(values):
        axes.annotate(f" {value:.3g}", (max(value + 2 * errors[place], 0), place), va="center", fontsize=8)
    open_axes(axes, "x")


def _focus(axes: Axes, values: Sequence[float]) -> None:
    """Choose limits of the y axis without outliers, because the first epochs can have much larger or smaller values."""
    if len(values) >= 20:
        low, high = np.percentile(values, [0, 100])
        typical_low, typical_high = np.percentile(values, [5, 95])
        margin = 0.4 * (typical_high - typical_low)
        axes.set_ylim(max(low, typical_low - margin) - 0.05 * margin, min(high, typical_high + margin) + 0.05 * margin)
