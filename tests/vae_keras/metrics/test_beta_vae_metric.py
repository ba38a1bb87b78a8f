import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import examples
from tests.vae_keras.metrics.pools import noisy_codes, shuffled_rows, ten_factors, uniform_factors
from vae_keras.metrics.beta_vae_metric import _features, beta_vae_score

FEW = {"train": 1_000, "test": 500}


def test_codes_equal_to_the_factors_have_one():
    assert beta_vae_score(*ten_factors(3_000), **FEW) > 0.99


def test_codes_that_say_nothing_are_at_chance():
    codes, factors = ten_factors(3_000)
    # Chance is 0.1, with a standard error of 0.013 on 500 features.
    assert beta_vae_score(np.zeros_like(codes), factors, **FEW) == pytest.approx(0.1, abs=0.05)
    assert beta_vae_score(shuffled_rows(codes), factors, **FEW) == pytest.approx(0.1, abs=0.05)


def test_a_rotation_of_the_factors_is_not_punished():
    factors = uniform_factors(3_000, 3, 5)
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    assert beta_vae_score(factors @ rotation, factors, **FEW) > 0.9


def test_larger_batches_tell_more():
    factors = uniform_factors(2_000, 4, 5)
    codes = noisy_codes(factors, 2.0)
    scores = [beta_vae_score(codes, factors, batch_size=size, **FEW) for size in (1, 16, 128)]
    assert scores[0] < scores[1] < scores[2]


def test_pairs_share_the_factor_and_are_two_rows():
    factors = uniform_factors(60, 2, 5)
    codes = np.stack([factors[:, 0], factors[:, 1], np.arange(60) * 1_000], axis=1).astype(float)
    random = np.random.default_rng(0)
    single_pairs = _features(codes, factors[:, 0], (2_000, 1), random)
    assert (single_pairs[:, 0] == 0).all()
    assert (single_pairs[:, 1] > 0).any()
    assert (single_pairs[:, 2] >= 1_000).all()


def test_a_feature_is_the_mean_absolute_difference_of_its_pairs():
    factors = uniform_factors(500, 2, 4)
    codes = np.random.default_rng(0).normal(size=(500, 3))
    features = _features(codes, factors[:, 0], (300, 50), np.random.default_rng(1))
    by_hand = np.zeros(3)
    for value in range(1, 5):
        group = codes[factors[:, 0] == value]
        size = len(group)
        # All ordered pairs of two rows, weighted by how often a first row has this value.
        differences = np.abs(group[:, None] - group[None]).sum(axis=(0, 1)) / (size * (size - 1))
        by_hand += differences * size / 500
    np.testing.assert_allclose(features.mean(axis=0), by_hand, rtol=0.02)
    assert features.shape == (300, 3)


def test_every_other_row_of_the_group_is_as_likely_a_partner():
    codes = np.array([[0.0], [1.0], [3.0], [7.0], [50.0]])
    pairs = _features(codes, np.array([0, 0, 0, 0, 1]), (12_000, 1), np.random.default_rng(0))[:, 0]
    distances, counts = np.unique(pairs, return_counts=True)
    np.testing.assert_array_equal(distances, [1, 2, 3, 4, 6, 7])
    np.testing.assert_allclose(counts, 2_000, rtol=0.1)


def test_a_seed_repeats_itself_and_another_does_not():
    factors = uniform_factors(500, 4, 5)
    codes = noisy_codes(factors, 3.0)
    scores = [beta_vae_score(codes, factors, batch_size=8, seed=seed, **FEW) for seed in (0, 0, 1, 2)]
    assert scores[0] == scores[1]
    assert len(set(scores)) > 1


def test_test_features_are_fresh():
    # A classifier of many dimensions of noise fits the few features it has seen, and no others.
    factors = uniform_factors(300, 2, 5)
    codes = 100 * np.random.default_rng(0).normal(size=(300, 60))
    assert beta_vae_score(codes, factors, batch_size=2, train=50, test=1_000) < 0.65


def test_factors_without_two_rows_of_a_value_are_refused():
    with pytest.raises(ValueError, match="no two rows share a value"):
        beta_vae_score(np.zeros((5, 2)), np.arange(10).reshape(5, 2), **FEW)


@given(st.integers(0, 1_000))
@examples(10)
def test_order_sign_shift_and_names_of_levels_do_not_matter(seed):
    random = np.random.default_rng(seed)
    factors = uniform_factors(200, 3, 3, seed)
    codes = noisy_codes(factors, seed=seed)
    few = {"batch_size": 8, "train": 200, "test": 100, "seed": seed}
    before = beta_vae_score(codes, factors, **few)
    assert 0 <= before <= 1
    changed = codes[:, random.permutation(3)] * random.choice([-1, 1], 3) + 5
    # The solver visits dimensions in another order, and stops at its tolerance.
    assert beta_vae_score(changed, factors, **few) == pytest.approx(before, abs=0.03)
    assert beta_vae_score(codes, np.array([-9, 4, 70])[factors - 1], **few) == before
