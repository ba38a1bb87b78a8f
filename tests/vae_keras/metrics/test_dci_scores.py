import math

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.vae_keras.metrics.pools import (
    mixed_within_rows,
    noisy_codes,
    shuffled_rows,
    ten_factors,
    uniform_factors,
)
from vae_keras.metrics.dci_scores import Dci, dci, dci_from_importance

MATRICES = arrays(float, (3, 4), elements=st.floats(0, 100))


def test_a_code_for_each_factor_is_perfect():
    assert dci_from_importance(5 * np.eye(5)) == pytest.approx((1, 1))


def test_codes_given_twice_lose_completeness():
    scores = dci_from_importance(np.vstack([5 * np.eye(5)] * 2))
    assert scores.disentanglement == pytest.approx(1)
    assert scores.completeness == pytest.approx(1 - math.log(2) / math.log(10))


def test_codes_that_hold_two_factors_lose_disentanglement():
    disentanglement, completeness = dci_from_importance(np.hstack([5 * np.eye(5)] * 2))
    assert disentanglement == pytest.approx(0.69897, abs=1e-5)
    assert completeness == pytest.approx(1)


def test_no_importance_is_neither():
    assert dci_from_importance(np.zeros((10, 10))) == (0, 0)


def test_even_importance_is_neither():
    assert dci_from_importance(np.ones((4, 6))) == pytest.approx((0, 0), abs=1e-9)


def test_a_matrix_of_three_by_hand():
    matrix = np.array([[3, 1, 0], [0, 2, 2], [0, 0, 4]])

    def entropy(*shares):
        return -sum(share * math.log(share) for share in shares) / math.log(3)

    # Rows sum to 4, 4, 4 of 12; columns to 3, 3, 6.
    rows = (1 - entropy(3 / 4, 1 / 4)) + (1 - entropy(1 / 2, 1 / 2)) + 1
    columns = 3 * 1 + 3 * (1 - entropy(1 / 3, 2 / 3)) + 6 * (1 - entropy(1 / 3, 2 / 3))
    assert dci_from_importance(matrix) == pytest.approx((rows / 3, columns / 12))
    assert dci_from_importance(-matrix) == pytest.approx((rows / 3, columns / 12))


def test_codes_count_by_their_share_of_importance():
    # The first code is pure, the second even; it has nine tenths of the importance.
    assert dci_from_importance(np.array([[9.0, 0], [0.5, 0.5]])).disentanglement == pytest.approx(0.9)


@given(MATRICES)
def test_scores_lie_in_range_and_transpose(matrix):
    scores = dci_from_importance(matrix)
    assert all(0 <= score <= 1 for score in scores)
    assert dci_from_importance(matrix.T) == pytest.approx(scores[::-1])


@given(MATRICES, st.permutations(range(3)), st.permutations(range(4)), st.sampled_from([0.125, 8.0]))
def test_order_and_scale_of_importance_do_not_matter(matrix, rows, columns, scale):
    matrix = np.round(matrix, 3)
    moved = scale * matrix[rows][:, columns]
    assert dci_from_importance(moved) == pytest.approx(dci_from_importance(matrix), abs=1e-6)


@pytest.mark.parametrize("matrix", [np.ones(3), np.ones((1, 3)), np.ones((3, 1)), [[1, np.nan], [0, 1]]])
def test_what_is_no_matrix_of_importance_is_refused(matrix):
    with pytest.raises(ValueError, match="importances of shape"):
        dci_from_importance(matrix)


def test_codes_equal_to_ten_factors_are_perfect():
    scores = dci(*ten_factors(200))
    assert isinstance(scores, Dci)
    assert scores == pytest.approx((1, 1, 1), abs=0.05)


@pytest.fixture(scope="module")
def five():
    """Five factors of three levels and codes that are equal to them."""
    factors = uniform_factors(450, 5, 3)
    return factors.astype(float), factors


def test_codes_doubled_are_disentangled_but_not_complete(five):
    codes, factors = five
    scores = dci(np.hstack([codes, codes]), factors)
    assert scores.disentanglement >= 0.9
    assert scores.completeness == pytest.approx(0.699, abs=0.1)


@pytest.mark.parametrize("spoil", [shuffled_rows, mixed_within_rows])
def test_spoilt_codes_are_neither(five, spoil):
    codes, factors = five
    scores = dci(spoil(codes), factors)
    assert scores.disentanglement < 0.2
    assert scores.completeness < 0.2


def test_codes_that_say_nothing_inform_by_chance_on_rows_not_trained_on(five):
    codes, factors = five
    # Chance is a third; trees know most of the rows that they were trained on.
    noise = np.random.default_rng(0).normal(size=codes.shape)
    assert dci(noise, factors).informativeness == pytest.approx(1 / 3, abs=0.08)
    assert dci(0 * codes, factors)[:2] == (0, 0)


def test_the_number_of_workers_changes_nothing_and_the_seed_does():
    factors = uniform_factors(120, 3, 2)
    codes = noisy_codes(factors, 1.0)
    with joblib.parallel_config(n_jobs=1):
        alone = dci(codes, factors)
    assert dci(codes, factors) == alone
    assert dci(codes, factors, seed=1) != alone


def test_sign_scale_and_names_of_levels_hardly_matter():
    factors = uniform_factors(150, 3, 2)
    codes = noisy_codes(factors, 0.8)
    before = dci(codes, factors)
    # Trees cut half-way between two codes, which rounds differently.
    assert dci(8 * codes + 2, factors) == pytest.approx(before, abs=0.02)
    assert dci(codes, np.array([-9, 70])[factors - 1]) == pytest.approx(before, abs=1e-9)
    assert dci(-codes[:, ::-1], factors) == pytest.approx(before, abs=0.05)
