"""The parts of the KL on whole data sets: against closed forms, against each other, and what the error covers."""

import math

import numpy as np
import pytest
from tensorflow_probability import distributions as tfd

from vae_keras.metrics.kl_split import split_kl, split_kl_by_minibatches
from vae_keras.priors import StandardNormal
from vae_keras.types import Posterior

PARTS = ("mutual_information", "total_correlation", "dimension_wise_kl")


def posterior_of(images, latents, seed=0, std=0.5):
    random = np.random.default_rng(seed)
    mean = random.normal(size=(images, latents)) @ random.normal(size=(latents, latents)) / np.sqrt(latents)
    return Posterior(mean, np.full_like(mean, 2 * np.log(std)))


@pytest.mark.parametrize("split", [split_kl, split_kl_by_minibatches])
@pytest.mark.parametrize("seed", range(3))
def test_the_parts_add_up_to_the_kl_within_their_error(split, seed):
    found = split(posterior_of(300, 4, seed), StandardNormal(4), samples=4, seed=seed + 10)
    assert sum(getattr(found, part).value for part in PARTS) == pytest.approx(found.total.value, rel=1e-9)
    assert abs(found.total.value - found.kl) < 4 * found.total.standard_error < 0.3


def test_the_mixture_is_the_one_that_tfd_makes_of_the_posteriors():
    mean, log_variance = posterior_of(40, 3)
    found = split_kl(Posterior(mean, log_variance), StandardNormal(4), samples=400)
    components = tfd.MultivariateNormalDiag(mean, np.exp(0.5 * log_variance))
    mixture = tfd.MixtureSameFamily(tfd.Categorical(np.zeros(40, np.float64)), components)
    z = mixture.sample(20_000, seed=1)
    log_q = mixture.log_prob(z).numpy()
    log_p = tfd.MultivariateNormalDiag(np.zeros(3)).log_prob(z).numpy()
    # TC + dimension-wise KL = KL(q(z) || p(z))
    marginal = found.total_correlation.value + found.dimension_wise_kl.value
    assert marginal == pytest.approx(np.mean(log_q - log_p), abs=5 * np.std(log_q - log_p) / np.sqrt(20_000))


def test_images_that_the_latents_tell_apart_carry_the_logarithm_of_their_number():
    found = split_kl(posterior_of(200, 6, std=1e-3), StandardNormal(4))
    assert found.mutual_information.value == pytest.approx(math.log(200), abs=1e-3)
    assert found.ceiling == math.log(200)
    nothing = split_kl(Posterior(np.zeros((50, 2)), np.zeros((50, 2))), StandardNormal(4))
    assert [getattr(nothing, part).value for part in PARTS] == pytest.approx([0.0] * 3, abs=1e-6)


def test_total_correlation_of_many_gaussian_codes_nears_that_of_their_covariance():
    covariance = np.array([[1.0, 0.8], [0.8, 1.0]])
    mean = np.random.default_rng(2).multivariate_normal([0, 0], covariance - 0.15 * np.eye(2), size=1_500)
    found = split_kl(Posterior(mean, np.full_like(mean, math.log(0.15))), StandardNormal(4), samples=2)
    assert found.total_correlation.value == pytest.approx(-0.5 * math.log(1 - 0.8**2), abs=0.06)


def test_the_error_is_what_repeated_draws_differ_by():
    posterior = posterior_of(60, 3)
    runs = [split_kl(posterior, StandardNormal(4), samples=2, seed=seed) for seed in range(60)]
    for part in PARTS:
        spread = np.std([getattr(run, part).value for run in runs], ddof=1)
        said = np.sqrt(np.mean([getattr(run, part).standard_error ** 2 for run in runs]))
        assert said == pytest.approx(spread, rel=0.35)


def test_a_minibatch_of_everything_is_exact_and_smaller_ones_come_near():
    posterior = posterior_of(120, 3)
    exact = split_kl(posterior, StandardNormal(4), samples=8)
    whole = split_kl_by_minibatches(posterior, StandardNormal(4), batch_size=120, samples=8)
    half = split_kl_by_minibatches(posterior, StandardNormal(4), batch_size=60, samples=8)
    for part in PARTS:
        assert getattr(whole, part).value == pytest.approx(getattr(exact, part).value, abs=1e-5)
        assert getattr(half, part).value == pytest.approx(getattr(exact, part).value, abs=0.15)


def test_memory_is_bounded_by_doing_few_images_at_once(monkeypatch):
    posterior = posterior_of(30, 2)
    whole = split_kl(posterior, StandardNormal(4))
    monkeypatch.setattr("vae_keras.metrics.kl_split.DENSITIES_AT_ONCE", 7 * 30 * 2)
    piecewise = split_kl(posterior, StandardNormal(4))
    assert np.allclose([getattr(whole, part) for part in PARTS], [getattr(piecewise, part) for part in PARTS])
