"""Sampled gradients are unbiased, and lead where the enumerated ones do."""

from itertools import product

import numpy as np
import pytest
import tensorflow as tf

from pgm_tfp import BayesianNetwork, catalogue
from pgm_tfp.variational import fit, sampled, target
from pgm_tfp.variational.discrete import log_q, mean_field
from pgm_tfp.variational.sampled import gradient_draws, settled

REPETITIONS = 400


@pytest.fixture(scope="module")
def problem():
    aim = target(BayesianNetwork.from_edges([("a", "c"), ("b", "c")], seed=3), {"c": True})
    structure = mean_field(aim)
    random = np.random.default_rng(0)
    return aim, structure, [tf.constant(random.normal(size=shape)) for shape in structure.shapes()]


def agree(draws, expected):
    error = draws.std(0, ddof=1) / np.sqrt(len(draws))
    assert error.max() < 0.2 * np.abs(expected).max()  # else anything would agree
    assert (np.abs(draws.mean(0) - expected) < 4.5 * error).all()


def test_the_score_functions_gradient_is_unbiased(problem):
    (exact_gradient,) = gradient_draws(*problem, "enumerated", 1)
    agree(gradient_draws(*problem, "score_function", REPETITIONS), exact_gradient)


def test_vimcos_gradient_is_that_of_its_bound(problem, monkeypatch):
    monkeypatch.setattr(sampled, "GROUP", 2)
    aim, structure, logits = problem
    grid = [dict(zip(aim.discrete, map(np.int32, state), strict=True)) for state in product(*map(range, aim.sizes))]
    log_weights = aim.log_weights()
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


def test_the_score_function_climbs_to_the_same_summit():
    network, evidence = catalogue.server_room(), {"M": True, "S": False}
    sure, noisy = fit(network, evidence), fit(network, evidence, estimator="score_function", starts=2)
    assert (sure.estimator, noisy.estimator) == ("enumerated", "score_function")
    assert sure.elbo_error == 0.0 < noisy.elbo_error
    assert noisy.elbo == pytest.approx(sure.elbo, abs=0.01 + 4 * noisy.elbo_error)


def test_a_trace_that_still_rises_has_not_settled():
    noise = np.random.default_rng(0).normal(scale=0.1, size=800)
    assert settled(noise)
    assert not settled(noise + np.linspace(0.0, 2.0, 800))


def test_vimco_judges_each_draw_against_the_geometric_mean_of_the_others():
    log_weight = np.random.default_rng(0).normal(size=(3, 4))
    log_surrogate = tf.Variable(np.zeros((3, 4)))
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(sampled._vimco(tf.constant(log_weight), log_surrogate))
    signals = tape.gradient(value, log_surrogate).numpy()
    for row in range(3):
        bound = np.log(np.exp(log_weight[row]).mean())
        for draw in range(4):
            others = np.delete(log_weight[row], draw)
            without = np.log(np.exp([*others, others.mean()]).mean())
            assert signals[row, draw] == pytest.approx(bound - without)
