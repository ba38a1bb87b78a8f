"""What the cells of the beta study say together: rank correlations, and how much is seed and how much objective.

The numbers are read from benchmarks/beta_study.json; `python -m benchmarks.beta_study` prints them below its table.

- The rank correlation of two numbers over cells (Spearman) says whether they order models alike.
- The share of variance that the setting explains is eta squared: the sum of squares between settings over the total sum
  of squares. The rest is the seed's. It needs settings with two seeds or more. With k settings and n cells, a number
  that has nothing to do with the setting has a share of about (k - 1) / (n - 1).
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from rich.table import Table
from scipy.stats import spearmanr

Results = Mapping[str, Mapping[str, Any]]
FEWEST_CELLS = 4  # for a rank correlation


def numbers_of(results: Results, cells: Sequence[str], name: str) -> np.ndarray:
    """A number of each of these cells, (cells,); not a number (NaN) where a cell lacks it."""
    return np.array([results[cell].get(name, np.nan) for cell in cells], float)


def rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's rank correlation; NaN for few cells, and where a number is missing or always the same."""
    if len(one) < FEWEST_CELLS or not np.isfinite([one, other]).all() or np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(spearmanr(one, other).statistic)


def share_of_setting(values: np.ndarray, settings: Sequence[str]) -> float:
    """The share of the variance of values (n,) between settings, by name (n,); NaN where no setting is repeated."""
    groups = [values[[setting == one for setting in settings]] for one in dict.fromkeys(settings)]
    groups = [group for group in groups if len(group) > 1]
    if not groups:
        return float("nan")
    pooled = np.concatenate(groups)
    total = ((pooled - pooled.mean()) ** 2).sum()
    between = sum(len(group) * (group.mean() - pooled.mean()) ** 2 for group in groups)
    return float(between / total) if total else float("nan")


def findings(results: Results, names: Mapping[str, str], scores: Sequence[str]) -> Table:
    """For each number: its rank correlation with the weight of each objective and with other numbers, and seed's share.

    Args:
        results: by cell, "OBJECTIVE-WEIGHT-seed-SEED", its numbers.
        names: by number its title.
        scores: the numbers that are disentanglement scores.
    """
    cells = {cell: cell.rsplit("-seed-", 1)[0] for cell in results}
    objectives = list(dict.fromkeys(setting.rsplit("-", 1)[0] for setting in cells.values()))
    table = Table(
        "number",
        *(f"with the weight of {objective}" for objective in objectives),
        "with TC of the means",
        "with the scores, mean (least)",
        "share of the setting",
        title="rank correlations",
    )
    every = list(cells)
    for name, title in names.items():
        row = []
        for objective in objectives:
            own = [cell for cell, setting in cells.items() if setting.rsplit("-", 1)[0] == objective]
            weights = np.array([float(cells[cell].rsplit("-", 1)[1]) for cell in own])
            row.append(rank_correlation(numbers_of(results, own, name), weights))
        values = numbers_of(results, every, name)
        row.append(rank_correlation(values, numbers_of(results, every, "gaussian_total_correlation")))
        others = [rank_correlation(values, numbers_of(results, every, score)) for score in scores if score != name]
        share = share_of_setting(values, [*cells.values()])
        agreement = f"{np.mean(others):.2f} ({np.min(others):.2f})" if others else ""
        table.add_row(title, *(f"{value:.2f}" for value in row), agreement, f"{share:.2f}")
    return table


def agreement_of_scores(results: Results, scores: Sequence[str]) -> dict[tuple[str, str], float]:
    """The rank correlation of each two scores over all cells."""
    every = list(results)
    return {
        (one, other): rank_correlation(numbers_of(results, every, one), numbers_of(results, every, other))
        for one, other in combinations(scores, 2)
    }
