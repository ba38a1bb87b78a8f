"""The tail's shape is found where it is known."""

import numpy as np
import pytest
from scipy.stats import genpareto, norm

from pgm_tfp.variational import pareto_k


@pytest.mark.parametrize("k", [0.2, 0.5, 0.9])
def test_the_shape_of_a_pareto_tail_is_recovered(k):
    draws = [genpareto(k).rvs(20_000, random_state=seed) for seed in range(8)]
    found = np.mean([pareto_k(np.log(weights)) for weights in draws])
    assert found == pytest.approx(k, abs=0.08)


def test_a_surrogate_narrower_than_the_posterior_is_caught():
    random = np.random.default_rng(0)

    def k_hat(scale):
        z = random.normal(scale=scale, size=10_000)
        return pareto_k(norm.logpdf(z) - norm.logpdf(z, scale=scale))

    # For normals, weights have finite moments up to 1 / (1 - scale^2): k = 1 - scale^2.
    assert k_hat(0.4) > 0.6
    assert k_hat(1.3) < 0.2


def test_equal_weights_have_no_tail():
    assert pareto_k(np.zeros(100)) == -np.inf


def test_the_prior_moves_the_estimate_from_few_draws_towards_one_half():
    # An exponential tail has k = 0; of 30 weights 6 are its tail, and the prior weighs as 10 at 1/2.
    found = [pareto_k(np.log(np.random.default_rng(seed).exponential(size=30))) for seed in range(300)]
    assert np.mean(found) == pytest.approx((6 * 0.0 + 10 * 0.5) / 16, abs=0.1)
