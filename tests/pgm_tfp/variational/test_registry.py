"""A family from outside the package: one class, one line to register it, and `fit` serves it."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from scipy.stats import logistic

from common.errors import UserError
from pgm_tfp import catalogue
from pgm_tfp.variational import FAMILIES, Fit, ReparameterisedFamily, fit, register
from pgm_tfp.variational.families.discrete import TableFamily
from pgm_tfp.variational.tables import mean_field

tfd = tfp.distributions
EVIDENCE = {"x1": 1.3, "x2": -0.4}


class Logistic(ReparameterisedFamily):
    """Independent logistic distributions: a continuous family that the package does not have."""

    name = "logistic"

    def start(self, location, scale, random):
        return {"location": location, "log_scale": np.log(scale)}

    def distribution(self, parameters):
        return tfd.Independent(tfd.Logistic(parameters["location"], tf.exp(parameters["log_scale"])), 1)

    def draw(self, parameters, noise):
        return parameters["location"] + tf.exp(parameters["log_scale"]) * noise

    def quantile(self, probabilities):
        return logistic.ppf(probabilities)


class NarrowNormal:
    """A family with its own algorithm, which shares no code with the package: the best of some draws of the prior."""

    name = "narrow_normal"

    def refusal(self, target):
        return None if target.continuous else "is for continuous variables, and none is hidden"

    def fit(self, target, settings):
        prior = target.prior_draws
        mode = prior[np.argmax(target.log_density(tf.constant(prior)))]
        surrogate = tfd.MultivariateNormalDiag(mode, 0.3 * np.ones(len(mode)))
        draws = surrogate.sample(2_000, seed=settings.seed)
        terms = (target.log_density(draws) - surrogate.log_prob(draws)).numpy()
        elbo, error = terms.mean(), terms.std() / np.sqrt(len(terms))
        trace = np.array([elbo])
        algorithm = "best draw of the prior"
        return Fit(self.name, target, surrogate, target.continuous, elbo, error, trace, algorithm, [elbo], True)


@pytest.fixture(autouse=True)
def families_of_the_package(monkeypatch):
    monkeypatch.setattr("pgm_tfp.variational.registry.FAMILIES", dict(FAMILIES))


@pytest.mark.parametrize("family", [Logistic(), NarrowNormal()], ids=lambda family: family.name)
def test_a_family_from_outside_is_registered_with_one_line_and_fitted(family):
    register(family)
    fitted = fit(catalogue.two_measurements(0.5, 2.0), EVIDENCE, family.name, starts=2)
    assert fitted.converged
    assert fitted.log_evidence.kind == "known"
    assert -4 * fitted.elbo_error < fitted.gap < 0.2
    # The posterior is N(m, 1 / c) with c = 1 + 1/s1^2 + 1/s2^2 and m = (x1/s1^2 + x2/s2^2) / c.
    assert fitted.marginal("z1").mean() == pytest.approx((1.3 / 0.25 - 0.4 / 4) / 5.25, abs=0.05)
    with pytest.raises(UserError, match=f"{family.name} is for continuous variables"):
        fit(catalogue.server_room(), {"M": True}, family.name)


def test_a_family_of_tables_from_outside_needs_only_the_parents_of_each_table():
    register(TableFamily("independent", mean_field))
    outside, inside = (fit(catalogue.server_room(), {"M": True}, name) for name in ("independent", "mean_field"))
    assert outside.elbo == inside.elbo
    assert outside.marginal("T") == inside.marginal("T")


def test_a_name_is_registered_once():
    with pytest.raises(UserError, match="there is a family named normal already"):
        register(FAMILIES["normal"])
