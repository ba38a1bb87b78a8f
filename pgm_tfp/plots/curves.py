"""Figures of variational inference: ELBO against iterations, gaps, densities, variances of gradients."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from common.figures import BLUE, COLOURS, open_axes, title_and_caption

LEAST_GAP = 1e-9  # nats; a smaller gap is rounding error


class Density(NamedTuple):
    """A density along one variable: its values (n,) at points (n,)."""

    points: np.ndarray
    values: np.ndarray


def elbo_traces(traces: Mapping[str, np.ndarray], log_evidence: float, title: str, caption: str) -> Figure:
    """The ELBO of each family after every iteration, with log p(evidence), which no ELBO can exceed."""
    figure = Figure(figsize=(7.0, 3.6), layout="constrained")
    axes = figure.subplots()
    for colour, (name, trace) in zip(COLOURS, traces.items(), strict=False):
        axes.plot(trace, color=colour, label=name.replace("_", " "))
    axes.axhline(log_evidence, color="#333333", linestyle=":", label="log p(evidence), exact")
    low = min(np.quantile(trace, 0.25) for trace in traces.values())
    axes.set(
        xlabel="iteration", ylabel="ELBO (nats)", ylim=(low - 0.1, log_evidence + 0.08 * (log_evidence - low) + 0.02)
    )
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    open_axes(axes, "both")
    title_and_caption(figure, title, caption)
    return figure


def gap_bars(gaps: Mapping[str, Mapping[str, float]], title: str, caption: str) -> Figure:
    """One panel for each posterior, with the gap of each family in nats on a logarithmic axis."""
    figure = Figure(figsize=(3.4 * len(gaps) + 0.6, 3.2), layout="constrained")
    for axes, (posterior, by_family) in zip(np.atleast_1d(figure.subplots(1, len(gaps))), gaps.items(), strict=True):
        values = [max(gap, LEAST_GAP) for gap in by_family.values()]
        bars = axes.bar(range(len(values)), values, color=BLUE, width=0.65)
        labels = [f"{gap:.3g}" if gap > LEAST_GAP else "0" for gap in by_family.values()]
        axes.bar_label(bars, labels, fontsize=8, padding=2)
        axes.set_xticks(range(len(values)), [name.replace("_", "\n") for name in by_family], fontsize=8)
        axes.set(yscale="log", ylim=(LEAST_GAP, 20.0), ylabel="log p(evidence) - ELBO (nats)")
        axes.set_title(posterior, fontsize=10)
        open_axes(axes, "y")
    title_and_caption(figure, title, caption)
    return figure


def density_curves(
    exact: Density,
    surrogates: Mapping[str, Density],
    label: str,
    title: str,
    caption: str,
    draws: np.ndarray | None = None,
) -> Figure:
    """The exact posterior density as an area, its surrogates as curves, and draws of a sampler (n,) as a histogram."""
    figure = Figure(figsize=(7.0, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.fill_between(exact.points, exact.values, color="#c9ced6", label="exact")
    if draws is not None:
        axes.hist(draws, bins=60, density=True, histtype="step", color="#333333", linewidth=0.8, label="NUTS")
    for colour, (name, density) in zip(COLOURS, surrogates.items(), strict=False):
        axes.plot(density.points, density.values, color=colour, label=name.replace("_", " "), linewidth=1.4)
    axes.set(xlabel=label, ylabel="posterior density", ylim=(0, None), xlim=(exact.points[0], exact.points[-1]))
    axes.legend(frameon=False, fontsize=8)
    open_axes(axes, "both")
    title_and_caption(figure, title, caption)
    return figure


def variance_bars(variances: Mapping[str, Mapping[str, float]], title: str, caption: str) -> Figure:
    """The variance of each estimator's gradient on a logarithmic axis, with a group of bars for each point.

    Args:
        variances: by name of a point in parameter space: the variance of each estimator there.
    """
    figure = Figure(figsize=(6.0, 3.2), layout="constrained")
    axes = figure.subplots()
    places = list(variances)
    estimators = list(next(iter(variances.values())))
    width = 0.8 / len(estimators)
    for number, (estimator, colour) in enumerate(zip(estimators, COLOURS, strict=False)):
        values = [variances[place][estimator] for place in places]
        at = np.arange(len(places)) + (number - (len(estimators) - 1) / 2) * width
        bars = axes.bar(at, values, width=0.92 * width, color=colour, label=estimator.replace("_", " "))
        axes.bar_label(bars, [f"{value:.2g}" for value in values], fontsize=8, padding=2)
    axes.set_xticks(range(len(places)), places)
    axes.set(yscale="log", ylabel="variance, summed over logits")
    axes.margins(y=0.15)
    axes.legend(frameon=False, fontsize=8)
    open_axes(axes, "y")
    title_and_caption(figure, title, caption)
    return figure
