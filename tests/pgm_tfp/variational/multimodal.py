"""Random posteriors with several modes, and their evidence: mixtures, sines, absolute values, outliers."""

from itertools import pairwise, product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm

from pgm_tfp import BayesianNetwork, Conditional
from pgm_tfp.backend import tf, tfd


class Case(NamedTuple):
    """A network, evidence, and log p(evidence) by a closed form or by scipy's integrals between the modes."""

    name: str
    network: BayesianNetwork
    evidence: dict[str, Any]
    log_evidence: float


def network(**conditionals):
    """Distributions by variable; parents are the names of a function's arguments."""
    return BayesianNetwork(
        {
            name: Conditional(made, made.__code__.co_varnames[: made.__code__.co_argcount])
            for name, made in conditionals.items()
        }
    )


def mixture(weights, locations, scales):
    return tfd.MixtureSameFamily(tfd.Categorical(probs=weights), tfd.Normal(locations, scales))


def on_a_line(random):
    """z from a mixture of normals, alone or with a measurement."""
    count = random.integers(2, 7)
    weights = random.dirichlet(np.ones(count))
    locations, scales = random.normal(0, 10.0 ** random.uniform(-1, 2), count), 10.0 ** random.uniform(-2, 1, count)
    noise, seen = 10.0 ** random.uniform(-1, 1.5), random.normal(0, 5)
    if random.random() < 0.5:
        return Case("mixture", network(z=lambda: mixture(weights, locations, scales)), {}, 0.0)
    model = network(z=lambda: mixture(weights, locations, scales), x=lambda z: tfd.Normal(z, noise))
    parts = np.log(weights) + norm.logpdf(seen, locations, np.hypot(scales, noise))
    return Case("measured mixture", model, {"x": seen}, float(np.logaddexp.reduce(parts)))


def in_the_plane(random):
    """A pair of numbers from a mixture of normals with diagonal covariances."""
    count = random.integers(2, 5)
    weights = random.dirichlet(np.full(count, 2.0))
    locations, scales = random.normal(0, 4, (count, 2)), 10.0 ** random.uniform(-1, 0.5, (count, 2))
    model = network(
        z=lambda: tfd.MixtureSameFamily(tfd.Categorical(probs=weights), tfd.MultivariateNormalDiag(locations, scales))
    )
    return Case("mixture in the plane", model, {}, 0.0)


def by_a_sine(random):
    """z ~ N(0, 1), y ~ N(sin(rate z), noise)."""
    rate, noise, seen = random.uniform(0.5, 4), 10.0 ** random.uniform(-2, 0), random.uniform(-1, 1)
    model = network(z=lambda: tfd.Normal(0.0, 1.0), y=lambda z: tfd.Normal(tf.sin(rate * z), noise))
    turns = (np.arcsin(seen) + 2 * np.pi * np.arange(-20, 21)) / rate
    turns = np.sort(np.concatenate([turns, np.pi / rate - turns]))
    borders = np.concatenate([[-9.0], turns[np.abs(turns) < 9], [9.0]])
    value = sum(
        quad(lambda z: norm.pdf(z) * norm.pdf(seen, np.sin(rate * z), noise), a, b, epsabs=0, limit=500)[0]
        for a, b in pairwise(borders)
    )
    return Case("sine", model, {"y": seen}, float(np.log(value)))


def by_an_absolute_value(random):
    """z ~ N(0, 1), y ~ N(|z|, noise)."""
    noise, seen = 10.0 ** random.uniform(-2, 0), random.uniform(0, 3)
    model = network(z=lambda: tfd.Normal(0.0, 1.0), y=lambda z: tfd.Normal(tf.abs(z), noise))
    # On each side N(z; 0, 1) N(y; z, noise) = N(y; 0, 1 + noise^2) N(z; mean, std), cut at zero
    mean, std = seen / (1 + noise**2), noise / np.sqrt(1 + noise**2)
    right = np.log(2) + norm.logpdf(seen, 0, np.sqrt(1 + noise**2)) + norm.logcdf(mean / std)
    return Case("absolute value", model, {"y": seen}, float(right))


def with_outliers(random):
    """z ~ N(0, wide), each y from (1 - share) N(z, narrow) + share N(z, wide)."""
    share, narrow, wide = random.uniform(0.05, 0.4), 10.0 ** random.uniform(-3, -0.5), 10.0 ** random.uniform(0, 1)
    seen = random.normal(0, wide, random.integers(2, 5))
    weights, scales = np.array([1 - share, share]), np.array([narrow, wide])
    names = [f"y{place}" for place in range(len(seen))]
    model = network(
        z=lambda: tfd.Normal(0.0, wide),
        **{name: lambda z: mixture(weights, z[..., tf.newaxis], scales) for name in names},
    )
    parts = []
    for chosen in product((0, 1), repeat=len(seen)):
        covariance = wide**2 + np.diag(scales[list(chosen)] ** 2)
        density = multivariate_normal(np.zeros(len(seen)), covariance, allow_singular=True).logpdf(seen)
        parts.append(np.log(weights[list(chosen)]).sum() + density)
    return Case("outliers", model, dict(zip(names, seen, strict=True)), float(np.logaddexp.reduce(parts)))


KINDS = (on_a_line, in_the_plane, by_a_sine, by_an_absolute_value, with_outliers)


def case(kind, seed):
    return kind(np.random.default_rng(seed))


cases = st.builds(case, st.sampled_from(KINDS), st.integers(0, 2**32 - 1))
