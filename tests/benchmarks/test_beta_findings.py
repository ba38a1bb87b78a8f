"""The findings of the beta study, on made-up cells of which they are known."""

import io

import numpy as np
import pytest
from rich.console import Console
from scipy.stats import f_oneway

from benchmarks.beta_findings import agreement_of_scores, findings, rank_correlation, share_of_setting

RANDOM = np.random.default_rng(0)
CELLS = {
    f"beta-VAE-{weight}-seed-{seed}": {
        "one": 10.0 * weight + seed,
        "other": -(weight**3) - 0.1 * seed,
        "noise": float(RANDOM.normal()),
        "gaussian_total_correlation": float(seed),
    }
    for weight in (1, 2, 4, 8)
    for seed in (0, 1, 2)
}


def test_a_number_that_follows_the_setting_has_its_share():
    settings = [cell.rsplit("-seed-")[0] for cell in CELLS]
    values = {name: np.array([cell[name] for cell in CELLS.values()]) for name in ("one", "noise")}
    assert share_of_setting(values["one"], settings) > 0.99
    # F = (between / (k - 1)) / (within / (n - k)), by an independent implementation
    groups = [values["noise"][place : place + 3] for place in range(0, 12, 3)]
    share = share_of_setting(values["noise"], settings)
    assert share / (1 - share) * (12 - 4) / (4 - 1) == pytest.approx(f_oneway(*groups).statistic)
    assert np.isnan(share_of_setting(values["one"][::3], settings[::3]))


def test_rank_correlations_are_of_order_alone():
    weights = np.array([1.0, 2.0, 4.0, 8.0])
    assert rank_correlation(weights, np.exp(weights)) == pytest.approx(1.0)
    assert rank_correlation(weights, -(weights**3)) == pytest.approx(-1.0)
    assert np.isnan(rank_correlation(weights, np.ones(4)))
    assert np.isnan(rank_correlation(weights[:3], weights[:3]))
    assert agreement_of_scores(CELLS, ["one", "other"])["one", "other"] < -0.9


def test_the_table_has_a_row_for_each_number():
    console = Console(file=io.StringIO(), width=200)
    console.print(findings(CELLS, {"one": "first", "noise": "second"}, ["one", "other"]))
    text = console.file.getvalue()
    assert "first" in text
    assert "second" in text
    assert "1.00" in text
