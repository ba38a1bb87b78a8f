"""Fits against closed forms, and warnings where a fit has not converged."""

import logging

import numpy as np
import pytest
from scipy.stats import norm

from common.errors import UserError
from pgm_tfp import BayesianNetwork, Conditional, Table, catalogue, exact
from pgm_tfp.backend import tf, tfd
from pgm_tfp.maximisation import Maximum
from pgm_tfp.variational import LogEvidence, evidence, fit, quadrature, sampled_gradients, target
from pgm_tfp.variational.family import best_start
from pgm_tfp.variational.fits import checked

LAPLACE_GAP = (np.log(np.pi) - 1) / 2


@pytest.mark.parametrize(("s1", "s2", "x1", "x2"), [(0.5, 2.0, 1.3, -0.4), (1.0, 1.0, 0.0, 3.0)])
def test_the_fitted_laplace_is_that_of_the_closed_form(s1, s2, x1, x2):
    network, evidence = catalogue.two_measurements(s1, s2), {"x1": x1, "x2": x2}
    fitted = fit(network, evidence, "laplace", starts=2)
    precision = 1 + 1 / s1**2 + 1 / s2**2
    location, scale = (x1 / s1**2 + x2 / s2**2) / precision, 1 / np.sqrt(2 * precision)
    assert float(fitted.surrogate.distribution.loc[0]) == pytest.approx(location, abs=1e-3 * scale)
    assert float(fitted.surrogate.distribution.scale[0]) == pytest.approx(scale, rel=2e-3)
    assert fitted.gap == pytest.approx(LAPLACE_GAP, abs=5e-4)


def test_the_evidence_of_two_measurements_is_that_of_a_normal():
    s1, s2, x = 0.5, 2.0, np.array([1.3, -0.4])
    covariance = np.ones((2, 2)) + np.diag([s1**2, s2**2])
    expected = -0.5 * (x @ np.linalg.solve(covariance, x) + np.log(np.linalg.det(2 * np.pi * covariance)))
    fitted = fit(catalogue.two_measurements(s1, s2), {"x1": x[0], "x2": x[1]}, "normal", starts=2)
    assert fitted.log_evidence.value == pytest.approx(expected, abs=1e-9)
    assert abs(fitted.gap) < 1e-5  # the posterior is in the family
    precision = 1 + 1 / s1**2 + 1 / s2**2
    assert fitted.surrogate.mean().numpy()[0] == pytest.approx((x[0] / s1**2 + x[1] / s2**2) / precision, abs=1e-4)
    assert fitted.surrogate.stddev().numpy()[0] == pytest.approx(precision**-0.5, rel=1e-3)


def test_a_wider_family_has_a_smaller_gap():
    network, evidence = catalogue.server_room_thermal(), {"M": True, "S": False, "L": 60.0}
    gaps = {name: fit(network, evidence, name, starts=4).gap for name in ("normal", "full_normal", "flow")}
    assert gaps["normal"] > 0.1 > 0.001 > gaps["full_normal"] > gaps["flow"] > -1e-4


def maximum_of(value, converged=True):
    return Maximum(np.zeros(1), value, np.array([value]), converged)


def test_a_maximum_that_only_one_start_reached_has_not_converged(caplog):
    maxima = [maximum_of(value) for value in (-3.0, -1.0, -2.0)]
    best, converged = best_start(maxima, "mean_field")
    assert (best.value, converged) == (-1.0, False)
    assert "only one of 3 starts reached the highest ELBO; pass more starts" in caplog.text
    assert best_start([*maxima, maxima[1]], "mean_field")[1]


def test_an_optimiser_that_has_not_converged_is_reported(caplog):
    with caplog.at_level(logging.WARNING):
        assert not best_start([maximum_of(-1.0, converged=False)], "flow")[1]
    assert "no start converged" in caplog.text


@pytest.mark.parametrize(
    ("family", "evidence", "message"),
    [
        ("meanfield", {"M": True}, "unknown family meanfield; did you mean mean_field?"),
        ("normal", {"M": True}, "normal is for continuous variables"),
    ],
)
def test_an_unknown_or_unsuitable_family_is_named(family, evidence, message):
    with pytest.raises(UserError) as error:
        fit(catalogue.server_room(), evidence, family)
    assert message in str(error.value)


def test_discrete_families_are_not_for_continuous_variables():
    with pytest.raises(UserError, match="mean_field is for discrete variables, and C is continuous"):
        fit(catalogue.server_room_thermal(), {"M": True})


def test_an_unknown_algorithm_is_named():
    with pytest.raises(UserError, match="unknown algorithm reinforce"):
        fit(catalogue.server_room(), {"M": True}, algorithm="reinforce")


def test_where_exact_evidence_costs_too_much_the_gap_stays_unknown(monkeypatch):
    monkeypatch.setattr(evidence, "MOST_CELLS", 3)
    fitted = fit(catalogue.server_room(), {"M": True}, starts=1)
    assert fitted.log_evidence == LogEvidence("bounded", fitted.elbo, fitted.elbo_error)
    assert fitted.gap is None


def test_a_fit_from_one_start_has_not_converged(caplog):
    fitted = fit(catalogue.server_room(), {"M": True}, starts=1)
    assert not fitted.converged
    assert "one start alone cannot show that it found the highest ELBO; pass two or more starts" in caplog.text


def test_an_elbo_above_the_evidence_is_impossible_and_has_not_converged(caplog):
    honest = fit(catalogue.server_room(), {"M": True, "S": False}, "autoregressive", starts=2)
    assert honest.converged
    assert not honest.impossible
    too_low = honest.log_evidence._replace(value=honest.log_evidence.value - 0.5)
    wrong = checked(honest._replace(exact_log_evidence=too_low))
    assert wrong.impossible
    assert not wrong.converged
    assert "the ELBO exceeds the log evidence by 0.5 nats, which is impossible; one of the two is wrong" in caplog.text


def test_evidence_with_a_large_error_of_quadrature_is_not_known(monkeypatch, caplog):
    unsure = LogEvidence("unknown", -1.0, 0.01)
    monkeypatch.setattr(
        evidence, "quadrature", lambda posterior, points: quadrature(posterior, points)._replace(log_evidence=unsure)
    )
    fitted = fit(catalogue.two_measurements(), {"x1": 1.0, "x2": 0.0}, "normal", starts=2)
    assert fitted.log_evidence == LogEvidence("bounded", fitted.elbo, fitted.elbo_error)
    assert fitted.gap is None
    assert (
        "the exact evidence, and therefore the gap, is not known: the error of quadrature is 0.01 nats" in caplog.text
    )


def test_a_chain_of_seventy_hidden_variables_is_fitted(monkeypatch):
    """An int64 cannot hold the number of joint states."""
    monkeypatch.setattr(sampled_gradients, "STEPS", 200)
    chain = BayesianNetwork.from_edges([(f"x{i}", f"x{i + 1}") for i in range(70)], seed=1)
    fitted = fit(chain, {"x70": True}, starts=2)
    assert fitted.algorithm == "score_function"
    assert fitted.log_evidence.value == pytest.approx(exact.log_evidence(chain, {"x70": True}))
    assert fitted.gap > -4 * fitted.elbo_error
    with pytest.raises(UserError, match=r"the 70 hidden variables have 1.18e\+21 joint states, too many"):
        fit(chain, {"x70": True}, algorithm="enumerated", starts=2)


def test_only_parents_of_continuous_variables_are_summed_state_by_state():
    chain = BayesianNetwork.from_edges([(f"x{i}", f"x{i + 1}") for i in range(39)], seed=1)
    z = Conditional(lambda x: tfd.Normal(tf.cast(x, tf.float64), 1.0), ("x39",))
    y = Conditional(lambda z: tfd.Normal(z, 0.5), ("z",))
    model = BayesianNetwork({**chain.conditionals, "z": z, "y": y})
    posterior = target(model, {"y": 0.8, "x0": True})
    assert posterior.interface == ("x39",)
    by_state = exact.marginal(chain, "x39", {"x0": True})
    expected = sum(by_state[state] * norm.pdf(0.8, state, np.sqrt(1.25)) for state in (False, True))
    expected *= exact.marginal(chain, "x0")[True]
    assert quadrature(posterior).log_evidence.value == pytest.approx(np.log(expected), abs=1e-9)


def test_too_many_discrete_parents_of_a_continuous_variable_are_refused():
    roots = {f"x{i}": Table.of_true(0.5) for i in range(14)}
    z = Conditional(lambda *x: tfd.Normal(tf.cast(sum(x), tf.float64), 1.0), tuple(roots))
    with pytest.raises(UserError, match="have 16,384 joint states to sum over at every draw of z, more than 1,024"):
        fit(BayesianNetwork({**roots, "z": z}), {}, "normal")


def test_discrete_posteriors_of_continuous_measurements_are_exact():
    z = Table([0.2, 0.5, 0.3], states=("low", "middle", "high"))
    x = Conditional(lambda z: tfd.Normal(3.0 * tf.cast(z, tf.float64), 0.01), ("z",))
    fitted = fit(BayesianNetwork({"z": z, "x": x}), {"x": 2.96}, starts=2)
    assert fitted.log_evidence.value == pytest.approx(np.log(0.5) + norm.logpdf(2.96, 3, 0.01), abs=1e-9)
    assert fitted.converged
    assert abs(fitted.gap) < 1e-9


def test_soft_evidence_is_a_likelihood():
    room, soft = catalogue.server_room(), {"M": {True: 0.8, False: 0.1}, "S": False}
    fitted = fit(room, soft, "autoregressive", starts=2)
    assert fitted.log_evidence.value == pytest.approx(exact.log_evidence(room, soft))
    assert fitted.gap == pytest.approx(0, abs=1e-7)
    thermal = catalogue.server_room_thermal()
    both = [quadrature(target(thermal, {"M": message, "R": 30.0})).log_evidence.value for message in (False, True)]
    mixed = quadrature(target(thermal, {"M": {True: 0.8, False: 0.1}, "R": 30.0})).log_evidence.value
    assert mixed == pytest.approx(np.log(0.1 * np.exp(both[0]) + 0.8 * np.exp(both[1])), abs=1e-9)


def test_impossible_evidence_is_named():
    with pytest.raises(UserError, match="impossible evidence: S=False, R=False, W=True together have"):
        fit(catalogue.sprinkler(), {"W": True, "S": False, "R": False}, starts=2)


@pytest.mark.parametrize(
    ("conditionals", "evidence", "message"),
    [
        ({"z": lambda: tfd.Normal(0.0, 1.0), "x": lambda z: tfd.Normal(z, tf.math.log(z))}, {"x": 1.0}, "x: its log"),
        ({"z": lambda: tfd.Normal(0.0, 1.0), "x": lambda z: tfd.Normal(z, 1.0)}, {"x": None}, "x is continuous and No"),
        ({"z": lambda: tfd.Normal(0.0, 1.0), "x": lambda z: tfd.Normal(z, 1.0)}, {"x": np.nan}, "x is continuous and"),
        ({"z": lambda: tfd.Normal(0.0, 1.0), "x": lambda z: tfd.Normal(z, 1.0)}, {"x": [1, 2]}, r"x: the evidence has"),
        ({"z": lambda: tfd.Normal(0.0, 1.0), "x": lambda z: tfd.Normal(z, np.float32([1]))}, {"x": 1.0}, "x: its dist"),
        ({"z": lambda: tfd.Bernoulli(probs=0.5), "x": lambda z: tfd.Normal(0.0, 1.0 + z)}, {"x": 1.0}, "x: its dist"),
        ({"z": lambda: tfd.Bernoulli(probs=0.5)}, {}, "z: a hidden Bernoulli needs the names of its values"),
        ({"z": lambda: tfd.Multinomial(3.0, probs=[0.5, 0.5])}, {}, "z: a hidden Multinomial is a vector of integers"),
        ({"z": lambda: tfd.Skellam(1.0, 2.0)}, {}, "z: hidden integers must not be negative"),
    ],
)
def test_an_error_in_a_model_is_one_line_that_names_the_variable(conditionals, evidence, message):
    model = BayesianNetwork(
        {
            name: Conditional(made, made.__code__.co_varnames[: made.__code__.co_argcount])
            for name, made in conditionals.items()
        }
    )
    for family in ("normal", "mean_field"):
        with pytest.raises(UserError) as error:
            fit(model, evidence, family, starts=2)
        assert message in str(error.value)
        assert "\n" not in str(error.value)
