import math
from typing import NamedTuple

import numpy as np
import pytest

from tests.vae_keras.metrics.pools import noisy_codes, uniform_factors
from vae_keras.metrics.dci_scores import dci
from vae_keras.metrics.explicitness_score import explicitness
from vae_keras.metrics.mig import mutual_information_gap
from vae_keras.metrics.sap import sap_score
from vae_keras.metrics.scores import SCORES, all_scores, repeated

QUICK = {name: SCORES[name] for name in ("mutual_information_gap", "sap_score", "modularity")}


class Two(NamedTuple):
    first: float
    second: float


def pool(seed=0, noise=0.5):
    factors = uniform_factors(200, 2, 2, seed)
    return noisy_codes(factors, noise, seed), factors


def test_all_scores_are_those_of_their_functions_by_name():
    codes, factors = pool()
    scores = all_scores(codes, factors, seed=3)
    assert set(scores) == {
        "beta_vae_score",
        "factor_vae_score",
        "mutual_information_gap",
        "sap_score",
        "dci_disentanglement",
        "dci_completeness",
        "dci_informativeness",
        "modularity",
        "explicitness",
        "interventional_robustness",
        "gaussian_total_correlation",
    }
    assert all(type(value) is float and math.isfinite(value) for value in scores.values())
    assert scores["mutual_information_gap"] == mutual_information_gap(codes, factors)
    assert scores["sap_score"] == sap_score(codes, factors, seed=3)
    assert scores["explicitness"] == explicitness(codes, factors, 3)
    assert tuple(scores[f"dci_{field}"] for field in dci(codes, factors)._fields) == dci(codes, factors, 3)


def test_scores_can_be_called_without_a_seed_and_leave_their_input_alone():
    codes, factors = pool()
    before = codes.copy(), factors.copy()
    for name, score in SCORES.items():
        assert np.isfinite(score(codes, factors)).all(), name
    np.testing.assert_array_equal(codes, before[0])
    np.testing.assert_array_equal(factors, before[1])


def test_fields_of_a_score_are_named_after_it():
    scores = {"pair": lambda codes, factors, *, seed=0: Two(1.0, seed)}
    assert all_scores(*pool(), seed=4, scores=scores) == {"pair_first": 1.0, "pair_second": 4}


def test_repeats_have_the_mean_and_its_standard_error():
    values = [0.2, 0.5, 0.8, 0.9]
    scores = {"given": lambda codes, factors, *, seed=0: codes[0, 0]}
    summary = repeated(lambda repeat: (np.full((2, 1), values[repeat]), np.zeros((2, 1))), 4, scores=scores)["given"]
    squares = sum((value - 0.6) ** 2 for value in values)
    assert summary.value == pytest.approx(0.6)
    assert summary.standard_error == pytest.approx(math.sqrt(squares / 3 / 4))


def test_every_repeat_has_a_seed_of_its_own():
    seen = []
    scores = {"seed": lambda codes, factors, *, seed=0: seen.append(seed) or 0.0}
    repeated(lambda repeat: pool(repeat), 3, seed=10, scores=scores)
    assert seen == [10, 11, 12]


def test_the_error_covers_what_fresh_draws_vary_by():
    by_name = repeated(lambda repeat: pool(repeat), 12, scores=QUICK)
    truth = repeated(lambda repeat: pool(1_000 + repeat), 100, scores=QUICK)
    assert set(by_name) == set(QUICK)
    for name, score in by_name.items():
        assert 0 < score.standard_error < 0.1
        assert abs(score.value - truth[name].value) < 5 * score.standard_error


def test_infinite_scores_have_no_error():
    def doubled(repeat):
        codes, factors = pool(repeat)
        return np.hstack([codes, codes]), factors

    scores = {"gaussian_total_correlation": SCORES["gaussian_total_correlation"]}
    summary = repeated(doubled, 2, scores=scores)["gaussian_total_correlation"]
    assert summary.value == math.inf
    assert math.isnan(summary.standard_error)


def test_one_repeat_is_refused():
    with pytest.raises(ValueError, match="1 repeat"):
        repeated(lambda repeat: pool(repeat), 1)
