"""The sheet of rendered faces: one row for each factor, from the lower to the upper end of its range."""

import numpy as np
from matplotlib.figure import Figure

from data.faces import render
from data.factors import FACTORS, NAMES, level_values, middle

SIZE, STEPS = 96, 7
# A friendly face: not every factor is in the middle of its range.
START = {"smile": 0.5, "mouth_opening": 0.35, "eye_opening": 0.7, "skin_tone": 0.75, "hair_tone": 0.35}


def sweeps() -> np.ndarray:
    """Faces that differ in one factor, (factors, STEPS, SIZE, SIZE, 3) uint8."""
    start = middle()
    for name, value in START.items():
        start[NAMES.index(name)] = value
    rows = []
    for place, factor in enumerate(FACTORS):
        faces = np.tile(start, (STEPS, 1))
        faces[:, place] = level_values(factor, STEPS)
        rows.append([render(face, SIZE, 3) for face in faces])
    return np.array(rows)


def figure_of_factors() -> Figure:
    """Each factor's name and range beside its row of faces; two factors stand beside each other."""
    rows = sweeps()
    figure = Figure(figsize=(9.6, 4.9), layout="constrained")
    grid = figure.subplots(-(-len(rows) // 2), 2, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, factor, faces in zip(grid.T.flat, FACTORS, rows, strict=False):
        axes.imshow(np.concatenate(list(faces), axis=1), interpolation="lanczos")
        unit = "" if factor.unit == "1" else f" {factor.unit}s"
        label = f"{factor.name.replace('_', ' ')}\n{factor.low:g} to {factor.high:g}{unit}"
        axes.text(-0.015, 0.5, label, transform=axes.transAxes, ha="right", va="center", fontsize=8)
    return figure


def figures() -> dict[str, Figure]:
    """The figure by file name."""
    return {"factors.png": figure_of_factors()}
