"""Bars of probabilities, before and after evidence."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from common.figures import COLOURS, PALE_BLUE, open_axes, title_and_caption


def probability_bars(situations: Mapping[str, Mapping[str, Mapping[Any, float]]], title: str, caption: str) -> Figure:
    """For each variable a group of bars, one for each situation.

    Args:
        situations: by name, such as "before" or "M=True": for each variable the probability of each state. For a binary
            variable only the second state is shown, for other variables all states.
    """
    first = next(iter(situations.values()))
    rows = [
        (variable, state)
        for variable, probabilities in first.items()
        for state in (list(probabilities)[1:] if len(probabilities) == 2 else probabilities)
    ]
    colours = [PALE_BLUE, *COLOURS]
    figure = Figure(figsize=(7.5, 0.9 + len(rows) * (0.16 + 0.15 * len(situations))), layout="constrained")
    axes = figure.subplots()
    height = 0.8 / len(situations)
    for number, (name, marginals) in enumerate(situations.items()):
        values = [marginals[variable][state] for variable, state in rows]
        places = np.arange(len(rows)) + (number - (len(situations) - 1) / 2) * height
        bars = axes.barh(places, values, height=0.92 * height, color=colours[number], label=name)
        axes.bar_label(bars, [f"{value:.3f}" for value in values], fontsize=7, padding=2)
    axes.set_yticks(range(len(rows)), [f"{variable} = {state}" for variable, state in rows])
    axes.set(xlim=(0, 1.08), xlabel="probability")
    axes.invert_yaxis()
    # The names are given again because matplotlib's legend leaves out labels that begin with _.
    axes.legend(
        axes.containers, list(situations), frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0)
    )
    open_axes(axes, "x")
    title_and_caption(figure, title, caption)
    return figure
