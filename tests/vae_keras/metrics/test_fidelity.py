"""R2 of factors, against closed forms and scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import r2_score

from vae_keras.metrics import read_off_latents, readings


def test_readings_are_r2_with_an_error_that_covers_the_truth():
    random = np.random.default_rng(0)
    true = random.uniform(-1, 1, (4_000, 3))
    noise = np.array([0.0, 0.5, 2.0])
    read = true + noise * random.normal(size=true.shape)
    found = readings(true, true, read, read / 2)
    # R2 = 1 - noise^2 / variance of the factor, which is 1/3
    for one, column, expected in zip(found, range(3), 1 - 3 * noise**2, strict=True):
        assert one.image == 1.0
        assert one.reconstruction == pytest.approx(r2_score(true[:, column], read[:, column]))
        assert abs(one.reconstruction - expected) <= 5 * one.standard_error + 1e-12
        assert one.latents == pytest.approx(r2_score(true[:, column], read[:, column] / 2))
    assert found[0].standard_error == 0


def test_factors_are_read_off_latents_that_bend_them_and_not_off_noise():
    random = np.random.default_rng(0)
    factors = random.uniform(-1, 1, (900, 2))
    angle = 2 * factors[:, 0]
    codes = np.stack([np.cos(angle), np.sin(angle), random.normal(size=900)], axis=1)
    read = read_off_latents(codes[:600], factors[:600], codes[600:])
    assert r2_score(factors[600:, 0], read[:, 0]) > 0.97
    assert r2_score(factors[600:, 1], read[:, 1]) < 0.05


@pytest.mark.parametrize("count", [1, 2, 3, 10])
def test_few_codes_are_enough(count):
    codes = np.arange(2.0 * count).reshape(count, 2)
    read = read_off_latents(codes, codes[:, :1], codes)
    assert read.shape == (count, 1)
    assert np.isfinite(read).all()


def test_of_many_codes_only_some_are_used():
    codes = np.random.default_rng(0).normal(size=(500, 2))
    few = read_off_latents(codes, codes, codes, most=100)
    assert not np.allclose(few, read_off_latents(codes, codes, codes))
    assert r2_score(codes, few) > 0.9
