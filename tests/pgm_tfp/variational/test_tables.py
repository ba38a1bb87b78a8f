"""Discrete surrogates: log p(e) - ELBO is the divergence, to rounding; which family loses what."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from hypothesis import given
from hypothesis import strategies as st

from pgm_tfp import BayesianNetwork, catalogue, exact
from pgm_tfp.variational import fit, target
from pgm_tfp.variational.tables import autoregressive, distribution, draw, enumerated_elbo, log_q, mean_field
from tests.support import examples

COLLIDER = [("a", "c"), ("b", "c"), ("c", "d"), ("a", "e")]


def random_logits(structure, seed):
    random = np.random.default_rng(seed)
    return [tf.constant(random.normal(size=shape)) for shape in structure.shapes()]


def divergence(posterior, structure, logits):
    """KL(q || p(. | e)), state by state."""
    log_surrogate = log_q(structure, logits, posterior.grid()).numpy()
    log_posterior = posterior.log_weights.copy()
    log_posterior -= np.logaddexp.reduce(log_posterior)
    return (np.exp(log_surrogate) * (log_surrogate - log_posterior)).sum()


@examples(15)
@given(seed=st.integers(0, 10_000), family=st.sampled_from([mean_field, autoregressive]))
def test_evidence_less_elbo_is_the_divergence_at_any_surrogate(seed, family):
    network, evidence = BayesianNetwork.from_edges(COLLIDER, seed=seed), {"d": True, "e": False}
    posterior = target(network, evidence)
    structure = family(posterior)
    logits = random_logits(structure, seed)
    gap = exact.log_evidence(network, evidence) - float(enumerated_elbo(posterior, structure, logits))
    assert gap == pytest.approx(divergence(posterior, structure, logits), abs=1e-9)
    assert gap > 0


@pytest.mark.parametrize("seed", range(3))
def test_the_autoregressive_surrogate_becomes_the_posterior(seed):
    network, evidence = BayesianNetwork.from_edges(COLLIDER, seed=seed), {"d": True}
    fitted = fit(network, evidence, "autoregressive", starts=3)
    assert fitted.converged
    assert abs(fitted.gap) < 1e-6
    for variable in fitted.variables:
        expected = exact.marginal(network, variable, evidence)[True]
        assert exact.marginal(fitted.network, variable)[True] == pytest.approx(expected, abs=1e-4)


def test_autoregressive_parents_are_no_more_than_the_posterior_needs():
    chain = BayesianNetwork.from_edges([("a", "b"), ("b", "c"), ("c", "d"), ("d", "e")])
    structure = autoregressive(target(chain, {"c": True}))
    assert sorted(map(len, structure.parents.values())) == [0, 0, 1, 1]  # c cuts a, b from d, e


def test_mean_field_loses_where_causes_explain_each_other_away_and_only_there():
    room = catalogue.server_room()
    assert fit(room, {"M": True}).gap > 0.1
    # Where door and temperature are known, nothing ties the others together.
    alone = fit(room, {"O": True, "T": True})
    assert abs(alone.gap) < 1e-6


def test_mean_field_finds_the_highest_maximum_of_coordinate_ascent():
    """CAVI (Jordan et al. 1999), from many starts, written without TensorFlow."""
    room, evidence = catalogue.server_room(), {"M": True}
    log_p = room.joint().reduced({"M": 1}).over(("O", "A", "T", "S")).values
    log_p = np.log(log_p)
    random, elbos = np.random.default_rng(0), []
    for _ in range(40):
        q = random.dirichlet([0.3, 0.3], 4) + 1e-12
        for _ in range(300):
            for i in range(4):
                others = np.ones_like(log_p)
                for j in range(4):
                    if j != i:
                        others = others * q[j].reshape([2 if axis == j else 1 for axis in range(4)])
                logs = (others * log_p).sum(tuple(axis for axis in range(4) if axis != i))
                q[i] = np.exp(logs - logs.max()) / np.exp(logs - logs.max()).sum()
        joint = np.einsum("a,b,c,d", *q)
        elbos.append((joint * (log_p - np.log(np.maximum(joint, 1e-300)))).sum())
    fitted = fit(room, evidence)
    assert fitted.elbo == pytest.approx(max(elbos), abs=1e-3)
    assert fitted.gap > 0.1


def test_the_surrogate_is_a_distribution_with_the_same_density_and_draws():
    posterior = target(catalogue.student(), {"L": True})
    structure = autoregressive(posterior)
    logits = random_logits(structure, 0)
    surrogate = distribution(structure, logits)
    assert isinstance(surrogate, tfp.distributions.JointDistribution)
    values = draw(structure, logits, (4_000,), (1, 2))
    assert np.allclose(surrogate.log_prob(**values), log_q(structure, logits, values))
    grid = posterior.grid()
    expected = np.exp(log_q(structure, logits, grid).numpy())
    assert expected.sum() == pytest.approx(1.0)
    codes = np.ravel_multi_index([values[name].numpy() for name in posterior.discrete], posterior.sizes)
    seen = np.bincount(codes, minlength=posterior.states) / 4_000
    # Five standard errors of a frequency.
    assert (np.abs(seen - expected) < 5 * np.sqrt(expected * (1 - expected) / 4_000) + 1e-9).all()
