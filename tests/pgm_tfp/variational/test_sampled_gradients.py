"""Sampled gradients are unbiased, and lead to the maximum that enumerated gradients find."""

from itertools import product

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from pgm_tfp import BayesianNetwork, catalogue
from pgm_tfp.variational import fit, sampled_gradients, target
from pgm_tfp.variational.sampled_gradients import (
    LOSSES,
    SAMPLES,
    TableDistribution,
    exact_gradient,
    gradient_draws,
    has_levelled_off,
)
from pgm_tfp.variational.tables import log_q, mean_field

REPETITIONS = 400


@pytest.fixture(scope="module")
def problem():
    posterior = target(BayesianNetwork.from_edges([("a", "c"), ("b", "c")], seed=3), {"c": True})
    structure = mean_field(posterior)
    random = np.random.default_rng(0)
    return posterior, structure, [tf.constant(random.normal(size=shape)) for shape in structure.shapes()]


def agree(draws, expected):
    error = draws.std(0, ddof=1) / np.sqrt(len(draws))
    assert error.max() < 0.2 * np.abs(expected).max()  # else anything would agree
    assert (np.abs(draws.mean(0) - expected) < 4.5 * error).all()


def test_the_score_functions_gradient_is_unbiased(problem):
    agree(gradient_draws(*problem, "score_function", REPETITIONS), exact_gradient(*problem))


def test_the_baseline_lowers_the_variance_of_tensorflow_probabilitys_score_function(problem, monkeypatch):
    def without_baseline(posterior, structure, logits, seed):
        surrogate = TableDistribution(structure, logits)
        return tfp.vi.monte_carlo_variational_loss(
            lambda values: posterior.log_weight(surrogate.by_name(values)),
            surrogate,
            sample_size=SAMPLES,
            gradient_estimator=tfp.vi.GradientEstimators.SCORE_FUNCTION,
            seed=seed,
        )

    monkeypatch.setitem(LOSSES, "without_baseline", without_baseline)
    library = gradient_draws(*problem, "without_baseline", REPETITIONS)
    agree(library, exact_gradient(*problem))
    ours = gradient_draws(*problem, "score_function", REPETITIONS)
    assert library.var(0).sum() > 3 * ours.var(0).sum()


def test_vimcos_gradient_is_that_of_its_bound(problem, monkeypatch):
    monkeypatch.setattr(sampled_gradients, "GROUP", 2)
    posterior, structure, logits = problem
    grid = [
        dict(zip(posterior.discrete, map(np.int32, state), strict=True))
        for state in product(*map(range, posterior.sizes))
    ]
    log_weights = posterior.log_weights
    with tf.GradientTape() as tape:
        tape.watch(logits)
        log_surrogate = [log_q(structure, logits, state) for state in grid]
        # E[log (w_1 + w_2)/2] over all pairs of states
        bound = sum(
            tf.exp(log_surrogate[i] + log_surrogate[j])
            * (
                tf.reduce_logsumexp([log_weights[i] - log_surrogate[i], log_weights[j] - log_surrogate[j]])
                - np.log(2.0)
            )
            for i, j in product(range(len(grid)), repeat=2)
        )
    expected = np.concatenate([gradient.numpy() for gradient in tape.gradient(bound, logits)])
    agree(gradient_draws(*problem, "vimco", REPETITIONS), expected)


def test_the_score_function_leads_to_the_maximum_of_enumeration():
    network, evidence = catalogue.server_room(), {"M": True, "S": False}
    sure, noisy = fit(network, evidence), fit(network, evidence, algorithm="score_function", starts=2)
    assert (sure.algorithm, noisy.algorithm) == ("enumerated", "score_function")
    assert sure.elbo_error == 0.0 < noisy.elbo_error
    assert noisy.elbo == pytest.approx(sure.elbo, abs=0.01 + 4 * noisy.elbo_error)


def test_a_trace_that_still_rises_has_not_levelled_off():
    noise = np.random.default_rng(0).normal(scale=0.1, size=800)
    assert has_levelled_off(noise)
    assert not has_levelled_off(noise + np.linspace(0.0, 2.0, 800))
