import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import examples
from tests.vae_keras.metrics.pools import noisy_codes, shuffled_rows, ten_factors, uniform_factors
from vae_keras.metrics.factor_vae_metric import _stillest, factor_vae_score

# Looked up so, because the package gives the name of the module to the function.
MODULE = sys.modules[factor_vae_score.__module__]
FEW = {"train": 1_000, "test": 500}


def test_codes_equal_to_the_factors_have_one():
    assert factor_vae_score(*ten_factors(3_000), **FEW) > 0.99


def test_constant_codes_have_none():
    codes, factors = ten_factors(1_000)
    assert factor_vae_score(np.zeros_like(codes), factors, **FEW) == 0


def test_shuffled_codes_are_at_chance():
    codes, factors = ten_factors(3_000)
    assert factor_vae_score(shuffled_rows(codes), factors, **FEW) == pytest.approx(0.1, abs=0.06)


def test_codes_given_twice_lose_nothing():
    codes, factors = ten_factors(2_000)
    assert factor_vae_score(np.hstack([codes, codes]), factors, **FEW) > 0.99


def test_a_dimension_that_two_factors_move_cannot_be_told_apart():
    factors = uniform_factors(2_000, 2, 5)
    codes = np.stack([factors.sum(axis=1), factors.sum(axis=1)], axis=1).astype(float)
    assert factor_vae_score(codes, factors, **FEW) == pytest.approx(0.5, abs=0.07)


def test_dimensions_that_hardly_vary_have_no_vote():
    factors = uniform_factors(2_000, 2, 5)
    scale = np.array([0.04, 0.06]) / np.std(factors, axis=0, ddof=1)
    # The first dimension alone would tell factor 0; dropped, all votes go to the second.
    assert factor_vae_score(factors * scale, factors, **FEW) == pytest.approx(0.5, abs=0.07)
    assert factor_vae_score(factors * scale * 2, factors, **FEW) > 0.99
    assert factor_vae_score(factors * scale[0], factors, **FEW) == 0


def test_variance_counts_relative_to_that_over_all_codes():
    factors = uniform_factors(2_000, 2, 5)
    codes = noisy_codes(factors, 0.3) * [100.0, 1.0]
    assert factor_vae_score(codes, factors, **FEW) > 0.99


def test_the_stillest_dimension_is_the_one_of_the_fixed_factor():
    factors = uniform_factors(1_000, 3, 4)
    codes = noisy_codes(factors, 0.2)
    for index in range(3):
        stillest = _stillest(codes, factors[:, index], (200, 32), np.random.default_rng(0))
        assert stillest.shape == (200,)
        assert (stillest == index).all()


def test_blocks_do_not_change_the_votes(monkeypatch):
    factors = uniform_factors(500, 3, 4)
    codes = noisy_codes(factors, 2.0)
    before = factor_vae_score(codes, factors, **FEW)
    monkeypatch.setattr(MODULE, "BLOCK", 7)
    assert factor_vae_score(codes, factors, **FEW) == before


def test_the_score_is_that_of_a_majority_vote_by_hand(monkeypatch):
    factors = uniform_factors(100, 2, 4)
    codes = noisy_codes(factors)
    fixed = np.random.default_rng(5).integers(2, size=9)
    votes = {0: np.array([0, 0, 1, 0, 1]), 1: np.array([1, 1, 0, 1])}
    # The fixed factors come from the seed alone; the votes are given.
    given_votes = {index: iter(np.resize(votes[index], np.sum(fixed == index))) for index in (0, 1)}
    stillest = np.array([next(given_votes[index]) for index in fixed])
    which = iter((0, 1))
    monkeypatch.setattr(MODULE, "_stillest", lambda *rest: stillest[fixed == next(which)])
    assigned = {
        dimension: max((0, 1), key=lambda k, d=dimension: sum((fixed[:6] == k) & (stillest[:6] == d)))
        for dimension in (0, 1)
    }
    hits = np.mean([assigned[dimension] == index for dimension, index in zip(stillest[6:], fixed[6:], strict=True)])
    assert factor_vae_score(codes, factors, train=6, test=3, seed=5) == pytest.approx(hits)


def test_a_seed_repeats_itself_and_another_does_not():
    factors = uniform_factors(500, 4, 5)
    codes = noisy_codes(factors, 3.0)
    scores = [factor_vae_score(codes, factors, batch_size=8, seed=seed, **FEW) for seed in (0, 0, 1, 2)]
    assert scores[0] == scores[1]
    assert len(set(scores)) > 1


def test_batches_of_one_are_refused():
    with pytest.raises(ValueError, match="batches of 1"):
        factor_vae_score(*ten_factors(100), batch_size=1)


@given(st.integers(0, 1_000))
@examples(15)
def test_order_sign_scale_and_names_of_levels_do_not_matter(seed):
    random = np.random.default_rng(seed)
    factors = uniform_factors(200, 3, 3, seed)
    codes = noisy_codes(factors, seed=seed)
    few = {"batch_size": 8, "train": 300, "test": 100, "seed": seed}
    before = factor_vae_score(codes, factors, **few)
    assert 0 <= before <= 1
    changed = codes[:, random.permutation(3)] * random.choice([-1, 1], 3) * random.uniform(0.5, 3, 3) + 5
    assert factor_vae_score(changed, factors, **few) == pytest.approx(before)
    assert factor_vae_score(codes, np.array([-9, 4, 70])[factors - 1], **few) == before
