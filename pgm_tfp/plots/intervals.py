"""Figures of table entries and their intervals."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.figure import Figure

from common.figures import BLUE, ORANGE, open_axes, title_and_caption


class Entry(NamedTuple):
    """One entry of a table.

    Attributes:
        name: such as P(T=True | O=False, A=True).
        learnt: its estimate.
        low, high: the ends of its interval.
        given: the value that the estimate is compared with.
    """

    name: str
    learnt: float
    low: float
    high: float
    given: float


def table_intervals(entries: Sequence[Entry], title: str, caption: str) -> Figure:
    """One row for each entry: the estimate, its interval, and a tick at the given value."""
    figure = Figure(figsize=(7.5, 1.1 + 0.26 * len(entries)), layout="constrained")
    axes = figure.subplots()
    places = range(len(entries))
    axes.hlines(places, [e.low for e in entries], [e.high for e in entries], color=BLUE, linewidth=2.2)
    axes.plot([e.learnt for e in entries], places, "o", color=BLUE, markersize=4.5, label="learnt")
    axes.plot([e.given for e in entries], places, "|", color=ORANGE, markersize=11, markeredgewidth=2, label="given")
    axes.set_yticks(places, [e.name for e in entries], fontsize=8)
    axes.set(xlabel="probability", xlim=(-0.02, 1.02))
    axes.invert_yaxis()
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    open_axes(axes, "x")
    title_and_caption(figure, title, caption)
    return figure
