"""Every approximate method answers the same three questions, and its answers agree with exact ones."""

import numpy as np
import pytest
from scipy.stats import norm

from common.errors import UserError
from pgm_tfp import BayesianNetwork, Conditional, Table, catalogue, exact
from pgm_tfp.backend import tf, tfd
from pgm_tfp.variational import LogEvidence, Result, WeightedPoints, fit, fit_target, nuts, quadrature, target
from pgm_tfp.variational.families.discrete import ALGORITHMS
from pgm_tfp.variational.registry import families_for

ROOM = {"M": True, "S": False}


def hybrid():
    """a -> x -> z -> y with binary a and x; a depends on no density, so it is eliminated and not summed over."""
    return BayesianNetwork(
        {
            "a": Table.of_true(0.3),
            "x": Table.of_true([0.2, 0.9], parents=("a",)),
            "z": Conditional(lambda x: tfd.Normal(2.0 * tf.cast(x, tf.float64), 1.0), ("x",)),
            "y": Conditional(lambda z: tfd.Normal(z, 0.5), ("z",)),
        }
    )


Y = 1.7
P_X = 0.7 * 0.2 + 0.3 * 0.9
# p(y | x) = N(y; 2 x, 1 + 0.25)
BY_X = np.array([1 - P_X, P_X]) * norm.pdf(Y, [0.0, 2.0], np.sqrt(1.25))
EVIDENCE_OF_Y = np.log(BY_X.sum())
X_TRUE = BY_X[1] / BY_X.sum()
A_TRUE = (1 - X_TRUE) * 0.3 * 0.1 / (1 - P_X) + X_TRUE * 0.3 * 0.9 / P_X
Z_MEAN = 0.8 * Y + 0.2 * 2 * X_TRUE


@pytest.fixture(scope="module")
def posterior():
    return target(hybrid(), {"y": Y})


METHODS = {
    "quadrature": quadrature,
    "nuts": lambda posterior: nuts(posterior, draws=1_000, burn_in=300),
    **{
        name: lambda posterior, name=name: fit_target(posterior, name, starts=2)
        for name in families_for(target(hybrid(), {"y": Y}))
    },
}


@pytest.mark.parametrize("name", METHODS)
def test_a_method_for_continuous_variables_answers_about_every_hidden_variable(name, posterior):
    result = METHODS[name](posterior)
    assert isinstance(result, Result)
    assert result.converged
    # A unimodal surrogate of two overlapping modes is biased by a few hundredths; quadrature is exact.
    tolerance = 1e-7 if name == "quadrature" else 0.06
    z = result.marginal("z")
    assert isinstance(z, WeightedPoints)
    assert z.weights.sum() == pytest.approx(1.0)
    assert z.mean() == pytest.approx(Z_MEAN, abs=tolerance)
    for variable, probability in (("x", X_TRUE), ("a", A_TRUE)):
        assert result.marginal(variable)[True] == pytest.approx(probability, abs=tolerance)
        assert sum(result.marginal(variable).values()) == pytest.approx(1.0)
    if name == "nuts":
        assert result.log_evidence.kind == "unknown"
        assert np.isnan(result.log_evidence.value)
    else:
        assert result.log_evidence.kind == "known"
        assert result.log_evidence.value == pytest.approx(EVIDENCE_OF_Y, abs=1e-8)
    for variable, message in (("y", "y is in the evidence"), ("w", "w is no variable of the network")):
        with pytest.raises(UserError, match=message):
            result.marginal(variable)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_algorithm_for_discrete_variables_answers_about_every_hidden_variable(algorithm):
    room = catalogue.server_room()
    result = fit(room, ROOM, "autoregressive", algorithm, starts=2)
    assert isinstance(result, Result)
    assert result.algorithm == algorithm
    assert result.converged
    for variable in ("O", "A", "T"):
        expected = exact.marginal(room, variable, ROOM)
        assert dict(result.marginal(variable)) == pytest.approx(expected, abs=1e-3 if result.elbo_error == 0 else 0.05)
    assert result.log_evidence == LogEvidence("known", pytest.approx(exact.log_evidence(room, ROOM)), 0.0)
    with pytest.raises(UserError, match="S is in the evidence"):
        result.marginal("S")


def test_coordinate_ascent_by_itself_reaches_the_maximum_of_enumeration():
    alone, both = (fit(catalogue.server_room(), ROOM, algorithm=name) for name in ("coordinate_ascent", "enumerated"))
    assert alone.converged
    assert alone.elbo == pytest.approx(both.elbo, abs=1e-6)
    assert (np.diff(alone.trace) > -1e-9).all()


def test_without_exact_evidence_the_elbo_bounds_it(posterior):
    fitted = fit_target(posterior, "normal", starts=2, log_evidence=LogEvidence("unknown"))
    assert fitted.log_evidence == LogEvidence("bounded", fitted.elbo, fitted.elbo_error)
    assert fitted.log_evidence.value < EVIDENCE_OF_Y + 4 * fitted.elbo_error


def test_the_marginal_of_a_vector_has_its_shape():
    model = BayesianNetwork(
        {
            "s": Conditional(lambda: tfd.Normal(0.0, 1.0)),
            "w": Conditional(lambda: tfd.MultivariateNormalDiag([1.0, -2.0], [0.5, 2.0])),
        }
    )
    marginal = nuts(target(model), draws=600, burn_in=300).marginal("w")
    assert marginal.points.shape == (2400, 2)
    assert marginal.mean() == pytest.approx([1.0, -2.0], abs=0.3)
    assert marginal.std() == pytest.approx([0.5, 2.0], rel=0.15)
    assert fit(model, family="normal", starts=2).marginal("s").std() == pytest.approx(1.0, rel=0.05)


def test_a_single_chain_has_not_converged(posterior):
    chain = nuts(posterior, draws=600, burn_in=300, chains=1)
    assert not chain.converged
    assert chain.marginal("z").mean() == pytest.approx(Z_MEAN, abs=0.2)


def test_quadrature_whose_error_is_large_has_not_converged(posterior):
    unsure = quadrature(posterior)._replace(log_evidence=LogEvidence("unknown", EVIDENCE_OF_Y, 0.01))
    assert not unsure.converged
