"""Fits against closed forms, and the judgement of what has not converged."""

import logging

import numpy as np
import pytest

from data.errors import UserError
from pgm_tfp import catalogue
from pgm_tfp.variational import fit, fitting
from pgm_tfp.variational.fitting import Climb, judged

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
    assert fitted.log_evidence == pytest.approx(expected, abs=1e-9)
    assert abs(fitted.gap) < 1e-5  # the posterior is in the family
    precision = 1 + 1 / s1**2 + 1 / s2**2
    assert fitted.surrogate.mean().numpy()[0] == pytest.approx((x[0] / s1**2 + x[1] / s2**2) / precision, abs=1e-4)
    assert fitted.surrogate.stddev().numpy()[0] == pytest.approx(precision**-0.5, rel=1e-3)


def test_a_wider_family_has_a_smaller_gap():
    network, evidence = catalogue.server_room_thermal(), {"M": True, "S": False, "L": 60.0}
    gaps = {name: fit(network, evidence, name, starts=4).gap for name in ("normal", "full_normal", "flow")}
    assert gaps["normal"] > 0.1 > 0.001 > gaps["full_normal"] > gaps["flow"] > -1e-4


def test_no_start_is_believed_alone(caplog):
    climbs = [Climb(np.zeros(1), height, np.array([height]), True) for height in (-3.0, -1.0, -2.0)]
    best, converged = judged(climbs, "mean_field")
    assert (best.elbo, converged) == (-1.0, False)
    assert "only one of 3 starts reached the highest ELBO; pass more starts" in caplog.text
    assert judged([*climbs, climbs[1]], "mean_field")[1]


def test_a_climb_that_has_not_arrived_is_reported(caplog):
    with caplog.at_level(logging.WARNING):
        assert not judged([Climb(np.zeros(1), -1.0, np.array([-1.0]), False)], "flow")[1]
    assert "no start arrived" in caplog.text


@pytest.mark.parametrize(
    ("family", "evidence", "message"),
    [
        ("meanfield", {"M": True}, "unknown family meanfield; did you mean mean_field?"),
        ("normal", {"M": True}, "normal is for continuous variables"),
    ],
)
def test_a_family_that_does_not_fit_is_named(family, evidence, message):
    with pytest.raises(UserError) as error:
        fit(catalogue.server_room(), evidence, family)
    assert message in str(error.value)


def test_discrete_families_are_not_for_continuous_variables():
    with pytest.raises(UserError, match="mean_field is for discrete variables, and C is continuous"):
        fit(catalogue.server_room_thermal(), {"M": True})


def test_unknown_estimators_are_named():
    with pytest.raises(UserError, match="unknown estimator reinforce"):
        fit(catalogue.server_room(), {"M": True}, estimator="reinforce")


def test_where_exact_evidence_costs_too_much_the_gap_stays_unknown(monkeypatch):
    monkeypatch.setattr(fitting, "MOST_CELLS", 3)
    fitted = fit(catalogue.server_room(), {"M": True}, starts=1)
    assert fitted.log_evidence is None
    assert fitted.gap is None
