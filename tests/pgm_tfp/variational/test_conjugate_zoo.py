"""Posteriors with a closed form: evidence, moments and stated errors, for any parameters and in any support."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import betaln, gammaln
from scipy.stats import binom, cauchy, multivariate_normal, nbinom, norm, poisson

from pgm_tfp import BayesianNetwork, Conditional
from pgm_tfp.backend import tf, tfd, tfp
from pgm_tfp.variational import fit, nuts, quadrature, target
from pgm_tfp.variational.evidence import exact_log_evidence
from tests.support import examples

tfb = tfp.bijectors


def network(**conditionals):
    """Distributions by variable; parents are the names of a function's arguments."""
    return BayesianNetwork(
        {
            name: Conditional(made, made.__code__.co_varnames[: made.__code__.co_argcount])
            for name, made in conditionals.items()
        }
    )


def agrees(grid, log_evidence, mean=None, std=None):
    assert grid.converged
    assert grid.log_evidence.value == pytest.approx(log_evidence, abs=1e-7 + 3 * grid.log_evidence.error)
    if mean is not None:
        assert grid.mean() == pytest.approx(np.atleast_1d(mean), rel=1e-6, abs=1e-6 * np.max(std))
        assert grid.std() == pytest.approx(np.atleast_1d(std), rel=1e-5)


def exponential_pair():
    return network(rate=lambda: tfd.Exponential(1.0), x=lambda rate: tfd.Exponential(rate))


@pytest.mark.parametrize("ratio", [1e3, 1.0, 7e-4, 1e-4, 1e-6])
def test_a_posterior_far_sharper_than_its_prior_is_found(ratio):
    model = network(z=lambda: tfd.Normal(0.0, 1.0), x=lambda z: tfd.Normal(z, ratio))
    precision = 1 + ratio**-2
    agrees(
        quadrature(target(model, {"x": 0.5})),
        norm.logpdf(0.5, 0, np.sqrt(1 + ratio**2)), 0.5 * ratio**-2 / precision, precision**-0.5,
    )  # fmt: skip


def test_two_sharp_measurements_in_the_plane():
    model = network(
        a=lambda: tfd.Normal(0.0, 10.0), b=lambda: tfd.Normal(0.0, 10.0),
        x=lambda a: tfd.Normal(a, 0.1), y=lambda b: tfd.Normal(b, 0.1),
    )  # fmt: skip
    expected = norm.logpdf([1.23, -4.0], 0, np.sqrt(100.01)).sum()
    assert expected == pytest.approx(-6.5307, abs=1e-4)
    fitted = fit(model, {"x": 1.23, "y": -4.0}, "normal", starts=2)
    assert fitted.log_evidence.value == pytest.approx(expected, abs=1e-9)
    assert 0 <= fitted.gap + 1e-6 < 1e-4
    assert fitted.converged


def test_a_ridge():
    model = network(
        a=lambda: tfd.Normal(0.0, 1.0), b=lambda: tfd.Normal(0.0, 1.0), x=lambda a, b: tfd.Normal(a + b, 0.003)
    )
    grid = quadrature(target(model, {"x": 0.5}))
    variance = 2 + 9e-6
    spread = np.sqrt(1 - 1 / variance)
    agrees(grid, norm.logpdf(0.5, 0, np.sqrt(variance)), [0.5 / variance] * 2, [spread] * 2)
    assert grid.log_evidence.value == pytest.approx(-1.3280, abs=1e-4)


@examples(12)
@given(
    log_scale=st.tuples(st.floats(-4, 3), st.floats(-4, 3)),
    log_noise=st.floats(-4, 1),
    slope=st.floats(-3, 3),
    seen=st.floats(-3, 3),
)
def test_any_normal_in_the_plane(log_scale, log_noise, slope, seen):
    (first, second), noise = 10.0 ** np.array(log_scale), 10.0**log_noise
    model = network(
        a=lambda: tfd.Normal(0.0, first),
        b=lambda: tfd.Normal(1.0, second),
        x=lambda a, b: tfd.Normal(a + slope * b, noise),
    )
    deviation = np.sqrt(first**2 + (slope * second) ** 2 + noise**2)
    value = slope + seen * deviation
    agrees(quadrature(target(model, {"x": value})), norm.logpdf(value, slope, deviation))


@examples(8)
@given(a=st.floats(0.3, 30), b=st.floats(0.01, 100), counts=st.lists(st.integers(0, 40), min_size=1, max_size=4))
def test_any_gamma_prior_of_a_poissons_rate(a, b, counts):
    def seen(rate):
        return tfd.Poisson(rate)

    model = network(rate=lambda: tfd.Gamma(a, b), **{f"x{i}": seen for i in range(len(counts))})
    n, total = len(counts), sum(counts)
    expected = a * np.log(b) - gammaln(a) + gammaln(a + total) - (a + total) * np.log(b + n)
    expected -= gammaln(np.array(counts) + 1.0).sum()
    shape, rate = a + total, b + n
    grid = quadrature(target(model, {f"x{i}": count for i, count in enumerate(counts)}))
    agrees(grid, expected, shape / rate, np.sqrt(shape) / rate)


@examples(8)
@given(a=st.floats(0.5, 20), b=st.floats(0.5, 20), n=st.integers(1, 60), share=st.floats(0, 1))
def test_any_beta_prior_of_a_binomials_probability(a, b, n, share):
    k = round(n * share)
    model = network(p=lambda: tfd.Beta(a, b), x=lambda p: tfd.Binomial(float(n), probs=p))
    expected = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1) + betaln(a + k, b + n - k) - betaln(a, b)
    one, zero = a + k, b + n - k
    spread = np.sqrt(one * zero / ((one + zero) ** 2 * (one + zero + 1)))
    agrees(quadrature(target(model, {"x": k})), expected, one / (one + zero), spread)


def test_a_rate_of_exponential_waiting_times():
    # p(x) = int rate exp(-rate) exp(-rate x) drate = 1 / (1 + x)^2; the posterior is Gamma(2, 1 + x)
    grid = quadrature(target(exponential_pair(), {"x": 0.5}))
    agrees(grid, -2 * np.log(1.5), 2 / 1.5, np.sqrt(2) / 1.5)
    assert grid.log_evidence.value == pytest.approx(-0.8109, abs=1e-4)


def test_a_dirichlet_prior_of_a_multinomials_probabilities():
    prior, counts = np.array([1.0, 2.0, 3.0]), np.array([5, 3, 2])
    model = network(p=lambda: tfd.Dirichlet([1.0, 2.0, 3.0]), x=lambda p: tfd.Multinomial(10.0, probs=p))
    expected = gammaln(11) - gammaln(counts + 1).sum() + gammaln(prior.sum()) - gammaln(prior.sum() + 10)
    expected += (gammaln(prior + counts) - gammaln(prior)).sum()
    mean = (prior + counts) / 16
    grid = quadrature(target(model, {"x": counts}))
    assert grid.columns == ("p[0]", "p[1]", "p[2]")
    agrees(grid, expected, mean, np.sqrt(mean * (1 - mean) / 17))
    fitted = fit(model, {"x": counts}, "full_normal", starts=2)
    assert fitted.converged
    assert -1e-4 < fitted.gap < 0.01
    draws = np.stack(list(fitted.sample(4_000).values()), 1)
    assert draws.sum(1) == pytest.approx(np.ones(4_000))
    assert draws.mean(0) == pytest.approx(mean, abs=0.01)
    chains = nuts(target(model, {"x": counts}), draws=400, burn_in=300)
    assert (np.abs(chains.mean() - mean) < 5 * chains.standard_error()).all()


def test_a_vector_of_normals():
    covariance = np.array([[2.0, 0.6], [0.6, 1.0]])
    model = network(
        w=lambda: tfd.MultivariateNormalTriL([0.0, 1.0], np.linalg.cholesky(covariance)),
        x=lambda w: tfd.MultivariateNormalDiag(w, [0.5, 0.1]),
    )
    seen = np.array([0.3, 2.0])
    expected = multivariate_normal([0.0, 1.0], covariance + np.diag([0.25, 0.01])).logpdf(seen)
    gain = covariance @ np.linalg.inv(covariance + np.diag([0.25, 0.01]))
    posterior = covariance - gain @ covariance
    mean = np.array([0.0, 1.0]) + gain @ (seen - [0.0, 1.0])
    agrees(quadrature(target(model, {"x": seen})), expected, mean, np.sqrt(np.diag(posterior)))


def test_modes_at_other_scales_and_places():
    square = network(z=lambda: tfd.Normal(0.0, 3.0), x=lambda z: tfd.Normal(z * z, 1e-3))
    expected = 2 * quad(lambda z: norm.pdf(z, 0, 3) * norm.pdf(4, z * z, 1e-3), 1.99, 2.01, points=[2.0])[0]
    agrees(quadrature(target(square, {"x": 4.0})), np.log(expected))
    spike = network(
        z=lambda: tfd.MixtureSameFamily(tfd.Categorical(probs=[0.3, 0.7]), tfd.Normal([0.0, 0.0], [1e-3, 1.0])),
        x=lambda z: tfd.Normal(z, 0.5),
    )
    expected = 0.3 * norm.pdf(0.1, 0, np.sqrt(0.25 + 1e-6)) + 0.7 * norm.pdf(0.1, 0, np.sqrt(1.25))
    agrees(quadrature(target(spike, {"x": 0.1})), np.log(expected))


def test_tails_kinks_and_edges():
    heavy = network(z=lambda: tfd.Cauchy(0.0, 1.0), x=lambda z: tfd.Cauchy(z, 2.0))
    agrees(quadrature(target(heavy, {"x": 3.0})), cauchy.logpdf(3, 0, 3))
    kink = network(z=lambda: tfd.Laplace(0.0, 1.0), x=lambda z: tfd.Laplace(z, 1.0))
    agrees(quadrature(target(kink, {"x": 1.0})), np.log(2 * np.exp(-1) / 4))
    edge = network(z=lambda: tfd.Uniform(0.0, 2.0), x=lambda z: tfd.Uniform(0.0, z))
    grid = quadrature(target(edge, {"x": 0.5}))
    # p(x) = int_x^2 1/(2 z) dz; a jump makes the error of a grid larger, and known
    assert 1e-7 < grid.log_evidence.error < 1e-4
    assert abs(grid.log_evidence.value - np.log(0.5 * np.log(4))) < grid.log_evidence.error


def test_a_support_that_depends_on_other_variables():
    # z ~ U(0, high), and high is 1 or 3: p(z > 1) = 1/3 given the longer one.
    model = BayesianNetwork(
        {
            "long": Conditional(lambda: tfd.Bernoulli(probs=0.5), states=(False, True)),
            "z": Conditional(lambda long: tfd.Uniform(0.0, 1.0 + 2.0 * tf.cast(long, tf.float64)), ("long",)),
            "x": Conditional(lambda z: tfd.Normal(z, 0.1), ("z",)),
        }
    )
    grid = quadrature(target(model, {"x": 0.9}))
    short, wide = norm.cdf(1, 0.9, 0.1) - norm.cdf(0, 0.9, 0.1), (norm.cdf(3, 0.9, 0.1) - norm.cdf(0, 0.9, 0.1)) / 3
    agrees(grid, np.log(0.5 * short + 0.5 * wide))
    assert grid.interface[1] == pytest.approx(wide / (short + wide), abs=1e-7)
    assert grid.points.max() > 1.2
    draws = fit(model, {"x": 0.9}, "normal", starts=2).sample(4_000)["z"]
    assert 0 < draws.min() < draws.max() < 3


@pytest.mark.parametrize("family", ["mean_field", "autoregressive"])
def test_a_poisson_latent_is_summed_to_a_stated_tail(family):
    model = network(k=lambda: tfd.Poisson(3.0), x=lambda k: tfd.Normal(k, 1.0))
    fitted = fit(model, {"x": 2.2}, family, starts=2)
    expected = np.log(sum(poisson.pmf(k, 3) * norm.pdf(2.2, k, 1) for k in range(100)))
    assert expected == pytest.approx(-1.6227, abs=1e-4)
    assert fitted.log_evidence.value == pytest.approx(expected, abs=1e-12)
    assert abs(fitted.gap) < 1e-9
    assert fitted.converged
    assert fitted.target.truncations["k"].tail < 1e-10


def test_the_sum_is_extended_to_values_that_the_evidence_makes_probable():
    model = network(k=lambda: tfd.Poisson(3.0), x=lambda k: tfd.Normal(k, 0.5))
    posterior = target(model, {"x": 60.0})
    assert posterior.truncations["k"].values[0] < 57 < 63 < posterior.truncations["k"].high
    expected = np.logaddexp.reduce([poisson.logpmf(k, 3) + norm.logpdf(60, k, 0.5) for k in range(400)])
    assert posterior.log_evidence == pytest.approx(expected, abs=1e-9)


def test_bounded_and_heavy_countable_latents():
    bounded = network(k=lambda: tfd.Binomial(7.0, probs=0.4), x=lambda k: tfd.Normal(k, 1.0))
    known = target(bounded, {"x": 3.0}).truncations["k"]
    assert (known.high, known.bounded, known.tail) == (7, True, 0.0)
    heavy = network(k=lambda: tfd.Geometric(probs=0.001), x=lambda k: tfd.Normal(k, 1.0))
    fitted = fit(heavy, {"x": 3.0}, starts=2)
    expected = np.logaddexp.reduce([np.log(0.001) + k * np.log(0.999) + norm.logpdf(3, k, 1) for k in range(60)])
    assert fitted.log_evidence.value == pytest.approx(expected, abs=1e-9)
    assert fitted.converged


def test_a_tail_that_stays_heavy_is_reported_and_the_evidence_is_a_bound(caplog):
    model = network(k=lambda: tfd.Zipf(np.float64(1.5)), x=lambda k: tfd.Normal(0.0 * tf.cast(k, tf.float64), 1.0))
    posterior = target(model, {"x": 0.0})
    assert "k is summed from" in caplog.text
    known = exact_log_evidence(posterior)
    missing = norm.logpdf(0) - known.value
    assert known.kind == "bounded"
    assert 1e-4 < missing < known.error


COUNTS = {
    "far from zero": (lambda: tfd.Poisson(5_000.0), lambda n: np.full(len(n), 0.5)),
    "without a scale": (lambda: tfd.Geometric(probs=1e-4), lambda n: np.full(len(n), 0.5)),
    "an alarm that the prior hardly ever gives": (lambda: tfd.Poisson(3.0), lambda n: np.where(n >= 60, 0.99, 1e-200)),
    "thinned": (lambda: tfd.Poisson(10.0), lambda n: binom.pmf(40, n, 0.9)),
    "a rare window": (lambda: tfd.Poisson(3.0), lambda n: np.where((n > 200) & (n < 230), 0.5, 0.0)),
}
PMFS = {
    "Poisson": lambda n, d: poisson.logpmf(n, float(d.rate)),
    "Geometric": lambda n, d: n * np.log1p(-1e-4) + np.log(1e-4),
}


@pytest.mark.parametrize("name", COUNTS)
def test_the_sum_covers_the_counts_that_prior_and_evidence_make_probable(name):
    prior, likelihood = COUNTS[name]
    if name == "thinned":
        model, seen = network(n=prior, k=lambda n: tfd.Binomial(n, probs=0.9)), {"k": 40}
    else:
        grid = np.arange(2**18)
        table = likelihood(grid)

        def alarm(n):
            return tfd.Bernoulli(probs=tf.gather(tf.constant(table), tf.cast(tf.minimum(n, len(grid) - 1.0), tf.int32)))

        model = network(n=prior)
        model = BayesianNetwork({**model.conditionals, "b": Conditional(alarm, ("n",), states=(False, True))})
        seen = {"b": True}
    n = np.arange(2**18)
    with np.errstate(divide="ignore"):
        logs = PMFS[type(prior()).__name__](n, prior()) + np.log(likelihood(n))
    known = exact_log_evidence(target(model, seen))
    assert known.kind == "known"
    assert known.value == pytest.approx(np.logaddexp.reduce(logs), abs=known.error + 1e-9)


def test_a_binomial_with_more_values_than_can_be_listed_is_summed_where_its_mass_is():
    model = network(k=lambda: tfd.Binomial(1e6, probs=0.5), x=lambda k: tfd.Normal(k, 500.0))
    k = np.arange(490_000, 510_001)
    expected = np.logaddexp.reduce(binom.logpmf(k, 1_000_000, 0.5) + norm.logpdf(500_300, k, 500))
    known = exact_log_evidence(target(model, {"x": 500_300.0}))
    assert known.kind == "known"
    assert known.value == pytest.approx(expected, abs=1e-6)


def test_a_support_that_grows_with_a_parent_has_no_end_that_draws_decide():
    model = network(n=lambda: tfd.Poisson(10.0), k=lambda n: tfd.Binomial(n, probs=0.9), x=lambda k: tfd.Normal(k, 0.1))
    # k = 40 needs n >= 40; a thinned Poisson is a Poisson
    known = exact_log_evidence(target(model, {"x": 40.0}))
    expected = poisson.logpmf(40, 9) + norm.logpdf(0, 0, 0.1)
    assert known.kind == "known"
    assert known.value == pytest.approx(expected, abs=known.error + 1e-9)


def test_a_continuous_parent_of_a_count():
    model = network(rate=lambda: tfd.Gamma(2.0, 1.0), k=lambda rate: tfd.Poisson(rate), x=lambda k: tfd.Normal(k, 0.5))
    grid = quadrature(target(model, {"x": 6.2}))
    agrees(grid, np.log(sum(nbinom.pmf(k, 2, 0.5) * norm.pdf(6.2, k, 0.5) for k in range(200))))


def test_results_of_every_method_are_in_the_models_own_space():
    evidence, posterior_mean = {"x": 0.5}, 2 / 1.5
    for family in ("normal", "flow"):
        fitted = fit(exponential_pair(), evidence, family, starts=2)
        assert fitted.converged
        assert fitted.sample(20_000)["rate"].min() > 0
        assert fitted.sample(20_000)["rate"].mean() == pytest.approx(posterior_mean, abs=0.05)
    chains = nuts(target(exponential_pair(), evidence), draws=400, burn_in=300)
    assert chains.columns == ("rate",)
    assert abs(chains.mean()[0] - posterior_mean) < 5 * chains.standard_error()[0]


PRIORS = {
    "Beta": (lambda: tfd.Beta(2.0, 3.0), 0.4),
    "Beta with poles": (lambda: tfd.Beta(0.5, 0.5), 0.5),
    "Gamma with a pole": (lambda: tfd.Gamma(0.1, 0.1), 1.0),
    "HalfNormal": (lambda: tfd.HalfNormal(2.0), 2 * np.sqrt(2 / np.pi)),
    "Uniform": (lambda: tfd.Uniform(-1.0, 3.0), 1.0),
    "LogNormal": (lambda: tfd.LogNormal(0.0, 1.0), np.exp(0.5)),
    "InverseGamma": (lambda: tfd.InverseGamma(5.0, 2.0), 0.5),
    "StudentT": (lambda: tfd.StudentT(3.0, 1.0, 2.0), 1.0),
    "TruncatedNormal": (lambda: tfd.TruncatedNormal(0.0, 1.0, -1.0, 1.0), 0.0),
    "TruncatedNormal from below": (lambda: tfd.TruncatedNormal(0.0, 1.0, 0.0, np.inf), np.sqrt(2 / np.pi)),
    "TruncatedNormal from above": (lambda: tfd.TruncatedNormal(0.0, 1.0, -np.inf, 0.0), -np.sqrt(2 / np.pi)),
    "a mixture of float32 in float64": (
        lambda: tfd.MixtureSameFamily(tfd.Categorical(probs=[0.25, 0.75]), tfd.Normal(np.array([0.0, 4.0]), 1.0)), 3.0
    ),
    "a transformed normal": (lambda: tfd.TransformedDistribution(tfd.Normal(0.0, 1.0), tfb.Exp()), np.exp(0.5)),
    "a shifted transformed normal": (
        lambda: tfd.TransformedDistribution(tfd.Normal(0.0, 0.5), tfb.Chain([tfb.Exp(), tfb.Scale(2.0)])), np.exp(0.5)
    ),
    "Pareto": (lambda: tfd.Pareto(3.0, 1.0), 1.5),
    "Dirichlet": (lambda: tfd.Dirichlet([1.0, 2.0, 3.0]), np.array([1, 2, 3]) / 6),
    "a mixture": (
        lambda: tfd.Mixture(tfd.Categorical(probs=[0.5, 0.5]), [tfd.Normal(-3.0, 0.1), tfd.Normal(4.0, 1.0)]), 0.5
    ),
    "a sample": (lambda: tfd.Sample(tfd.Exponential(2.0), 2), [0.5, 0.5]),
    "Normal by integers": (lambda: tfd.Normal(1, 2), 1.0),
}  # fmt: skip


@pytest.mark.parametrize("name", PRIORS)
def test_a_prior_integrates_to_one_and_keeps_its_mean(name):
    """With nothing observed the evidence is one: the Jacobian of the coordinates is right."""
    distribution, mean = PRIORS[name]
    grid = quadrature(target(network(z=distribution)))
    assert grid.converged
    assert abs(grid.log_evidence.value) < 1e-8 + grid.grid_error < 1e-6
    assert grid.mean() == pytest.approx(np.atleast_1d(mean), rel=1e-5, abs=1e-7)


MOMENTS = {
    "Normal": (lambda: tfd.Normal(2.0, 3.0), 2.0, 3.0),
    "Pareto with a heavy tail": (lambda: tfd.Pareto(2.2, 1.0), 2.2 / 1.2, np.sqrt(2.2 / (1.2**2 * 0.2))),
    "wide LogNormal": (
        lambda: tfd.LogNormal(0.0, 5.0), np.exp(12.5), np.sqrt(np.expm1(25.0)) * np.exp(12.5)
    ),
    "StudentT": (lambda: tfd.StudentT(3.0, 1.0, 2.0), 1.0, 2 * np.sqrt(3)),
    "StudentT without a variance": (lambda: tfd.StudentT(1.5, 1.0, 2.0), 1.0, None),
    "Pareto without a variance": (lambda: tfd.Pareto(1.5, 1.0), 3.0, None),
    "HalfCauchy": (lambda: tfd.HalfCauchy(0.0, 1.0), None, None),
    "Cauchy": (lambda: tfd.Cauchy(0.0, 1.0), None, None),
}  # fmt: skip


@pytest.mark.parametrize("name", MOMENTS)
def test_a_moment_is_right_to_within_its_error_or_unknown(name):
    distribution, mean, std = MOMENTS[name]
    grid = quadrature(target(network(z=distribution)))
    points = grid.marginal("z")
    for expected, found, error, of_points in (
        (mean, grid.mean()[0], grid.mean_error()[0], points.mean()),
        (std, grid.std()[0], grid.std_error()[0], points.std()),
    ):
        if expected is None:
            assert np.isnan([found, error, of_points]).all()
        else:
            assert abs(found - expected) <= error + 1e-9 * expected
            assert found == pytest.approx(expected, rel=1e-5)
            assert of_points == pytest.approx(found)
