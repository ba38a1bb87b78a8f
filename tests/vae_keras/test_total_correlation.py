"""The parts of the KL against densities written out, and the estimates against all batches there are."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp
from scipy.stats import norm

from vae_keras.priors import StandardNormal
from vae_keras.total_correlation import ESTIMATORS, kl_parts, stratified, weighted
from vae_keras.types import Posterior

IMAGES, LATENTS = 6, 2


@pytest.fixture(scope="module")
def data():
    """A data set of six posteriors, and a z from each."""
    random = np.random.default_rng(3)
    mean, std = random.normal(size=(IMAGES, LATENTS)), random.uniform(0.3, 1.0, size=(IMAGES, LATENTS))
    return mean, std, mean + std * random.normal(size=(IMAGES, LATENTS))


def posterior(mean, std):
    return Posterior(mean, 2 * np.log(std))


def test_with_all_images_the_parts_are_those_of_the_aggregate_posterior(data):
    mean, std, z = data
    images = posterior(mean, std)
    parts = kl_parts(z, images, images, np.full((IMAGES, IMAGES), -math.log(IMAGES)), StandardNormal(4).log_prob(z))
    # q(z) = 1/N sum_n prod_j q(z_j | x_n), by the densities themselves
    densities = norm.pdf(z[:, None], mean[None], std[None])
    joint, apart = densities.prod(-1).mean(1), densities.mean(1).prod(-1)
    own = norm.pdf(z, mean, std).prod(-1)
    np.testing.assert_allclose(parts.mutual_information, np.log(own / joint), rtol=1e-9)
    np.testing.assert_allclose(parts.total_correlation, np.log(joint / apart), rtol=1e-9)
    np.testing.assert_allclose(parts.dimension_wise_kl, np.log(apart / norm.pdf(z).prod(-1)), rtol=1e-9)


@given(st.integers(2, 40), st.integers(0, 500))
def test_stratified_rows_sum_to_one_and_an_image_counts_for_itself(batch, others):
    images = batch + others
    weights = np.exp(stratified(batch, images))
    np.testing.assert_allclose(weights.sum(1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(np.diag(weights), 1 / images, rtol=1e-5)


def test_a_batch_of_all_images_has_the_exact_weights():
    np.testing.assert_allclose(np.exp(stratified(9, 9)), 1 / 9, rtol=1e-6)


def test_a_batch_of_one_image_has_no_total_correlation():
    one = Posterior(np.array([[0.5, -1.0]]), np.zeros((1, 2)))
    z = np.array([[0.7, 0.1]])
    parts = kl_parts(z, one, one, stratified(1, 100), StandardNormal(4).log_prob(z))
    assert float(parts.total_correlation[0]) == float(parts.mutual_information[0]) == 0.0


@pytest.mark.parametrize("size", [2, 3, 5])
def test_over_all_batches_the_stratified_density_is_that_of_the_aggregate_posterior(data, size):
    mean, std, z = data
    densities = norm.pdf(z[0], mean, std).prod(-1)
    estimates = [
        np.exp(np.asarray(stratified(size, IMAGES))[0]) @ densities[[0, *others]]
        for others in itertools.combinations(range(1, IMAGES), size - 1)
    ]
    assert np.mean(estimates) == pytest.approx(densities.mean(), rel=1e-6)


def test_the_weights_are_those_of_chen_et_al_averaged_over_the_image_they_single_out():
    # Equation S6: itself 1/N, one other (N - M)/(N M), the rest 1/M, with M others in the batch.
    batch, images = 5, 30
    others = batch - 1
    average = np.zeros(batch)
    for singled_out in range(1, batch):
        row = np.full(batch, 1 / others)
        row[0], row[singled_out] = 1 / images, (images - others) / (images * others)
        average += row / others
    np.testing.assert_allclose(np.exp(stratified(batch, images))[0], average, rtol=1e-5)


def test_the_weighted_estimate_misses_the_density_by_the_sum_of_its_weights(data):
    mean, std, z = data
    images = posterior(mean, std)
    log_weights = np.asarray(weighted(IMAGES, IMAGES), float)
    np.testing.assert_allclose(logsumexp(log_weights, axis=1), -math.log(IMAGES), rtol=1e-6)
    exact = kl_parts(z, images, images, np.full((IMAGES, IMAGES), -math.log(IMAGES)), StandardNormal(4).log_prob(z))
    parts = kl_parts(z, images, images, log_weights, StandardNormal(4).log_prob(z))
    shift = math.log(IMAGES)
    np.testing.assert_allclose(parts.mutual_information - exact.mutual_information, shift, rtol=1e-6)
    off = parts.total_correlation - exact.total_correlation
    np.testing.assert_allclose(off, (LATENTS - 1) * shift, rtol=1e-6)
    np.testing.assert_allclose(parts.dimension_wise_kl - exact.dimension_wise_kl, -LATENTS * shift, rtol=1e-6)


def test_weights_enter_the_joint_once_however_many_latents_there_are():
    # Latents that are the prior for every image tell nothing: all parts are zero, with as many as one likes.
    same = Posterior(np.zeros((4, 7)), np.zeros((4, 7)))
    z = np.random.default_rng(0).normal(size=(4, 7))
    for part in kl_parts(z, same, same, stratified(4, 1000), StandardNormal(4).log_prob(z)):
        np.testing.assert_allclose(part, 0.0, atol=1e-5)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_two_latents_that_always_agree_have_a_total_correlation(estimator):
    random = np.random.default_rng(0)
    code = np.repeat(random.normal(size=(100, 1)), 2, axis=1)
    apart = np.stack([code[:, 0], random.permutation(code[:, 0])], axis=1)
    tc = [
        float(np.mean(kl_parts(mean, images, images, ESTIMATORS[estimator](100, 100), np.zeros(100)).total_correlation))
        for mean in (code, apart)
        for images in [Posterior(mean, np.full_like(mean, -4.0))]
    ]
    assert tc[0] > tc[1] + 0.5
