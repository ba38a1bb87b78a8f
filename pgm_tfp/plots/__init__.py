"""Figures of graphs, trails, probabilities and variational inference. Each function takes data and returns a Figure."""

from pgm_tfp.diagrams import Panel, graph_panels
from pgm_tfp.plots.bars import probability_bars
from pgm_tfp.plots.curves import Density, density_curves, elbo_traces, gap_bars, variance_bars
from pgm_tfp.plots.intervals import Entry, table_intervals

__all__ = [
    "Density",
    "Entry",
    "Panel",
    "density_curves",
    "elbo_traces",
    "gap_bars",
    "graph_panels",
    "probability_bars",
    "table_intervals",
    "variance_bars",
]
