"""Compares approximate posteriors with exact ones: text and figures of `python -m pgm_tfp variational`."""

from collections.abc import Iterator, Mapping
from math import log, pi
from typing import Any

import numpy as np

from common.text_section import TextSection
from pgm_tfp import catalogue, exact
from pgm_tfp.backend import tf
from pgm_tfp.conditionals import State
from pgm_tfp.notation import written
from pgm_tfp.plots import Density, density_curves, elbo_traces, gap_bars, probability_bars, variance_bars
from pgm_tfp.results import Result, WeightedPoints
from pgm_tfp.variational import Fit, LogEvidence, fit_target, nuts, pareto_k, quadrature, target
from pgm_tfp.variational.pareto import LARGEST_RELIABLE_K
from pgm_tfp.variational.sampled_gradients import GROUP, LOSSES, SAMPLES, gradient_draws
from pgm_tfp.variational.tables import mean_field
from pgm_tfp.variational.targets import Target

ROOM_EVIDENCE: dict[str, State] = {"M": True, "S": False}
THERMAL_EVIDENCE = {"M": True, "S": False, "L": 60.0}  # the sensor's reading R is missing
READING = 31.0
THERMAL_FAMILIES = ("normal", "laplace", "full_normal", "flow")
THERMAL_STARTS = 4
MEASURED = {"x1": 1.3, "x2": -0.4}
DEVIATIONS = (0.5, 2.0)
DRAWS, REPETITIONS = 4_000, 300
WIDTH, WIDE = 5.0, 8.0  # half the range of a density plot, in posterior standard deviations


def sections(seed: int = 0) -> Iterator[TextSection]:
    """The server room, the assignment's 1.5, and the server room with its temperature."""
    yield server_room(seed)
    yield laplace_and_normal(seed)
    yield thermal(seed)


def server_room(seed: int) -> TextSection:
    """Mean field against a surrogate that can represent explaining away, and the variance of sampled gradients."""
    network = catalogue.server_room()
    posterior = target(network, ROOM_EVIDENCE)
    log_evidence = LogEvidence("known", exact.log_evidence(network, ROOM_EVIDENCE), 0.0)
    fits = _fits(posterior, log_evidence, ("mean_field", "autoregressive"), seed)
    truth = exact.marginals(network, ROOM_EVIDENCE)
    together = exact.joint_marginal(network, ["O", "A"], ROOM_EVIDENCE)[True, True]
    independent = truth["O"][True] * truth["A"][True]
    variances = _gradient_variances(posterior, fits["mean_field"], seed)
    lines = [
        f"The posterior given {written(ROOM_EVIDENCE)}; log p(evidence) = {log_evidence.value:.6f} nats",
        *(_line(fitted) for fitted in fits.values()),
        "The open door and the broken air conditioning are two explanations of the heat: "
        f"P(O, A) = {together:.4f}, P(O) P(A) = {independent:.4f}.",
        "Mean field cannot represent their dependence and gives its mass to one explanation; the autoregressive",
        "surrogate contains the posterior.",
        *(
            f"Variance of a gradient from {SAMPLES} samples, {place}: "
            + ", ".join(f"{name.replace('_', ' ')} {value:.3g}" for name, value in by_estimator.items())
            for place, by_estimator in variances.items()
        ),
    ]
    situations: dict[str, Mapping[str, Mapping[Any, float]]] = {
        "exact": {variable: truth[variable] for variable in posterior.discrete},
        **{name.replace("_", " "): _probabilities(fitted, posterior.discrete) for name, fitted in fits.items()},
    }
    evidence = f"Posterior given {written(ROOM_EVIDENCE)}."
    figures = {
        "surrogates.png": probability_bars(situations, "The posterior and its surrogates", evidence),
        "elbo_traces.png": elbo_traces(
            {name: fitted.trace for name, fitted in fits.items()},
            log_evidence.value,
            "The ELBO during optimisation",
            f"{evidence} ELBO summed over all joint states, best of eight starts. No ELBO can exceed the dotted line.",
        ),
        "gaps.png": gap_bars(
            {"server room": {name: fitted.gap or 0.0 for name, fitted in fits.items()}},
            "The gap of each family",
            f"KL(surrogate || posterior), computed exactly. {evidence} The autoregressive gap is rounding error.",
        ),
        "gradient_variances.png": variance_bars(
            variances,
            "Variance of sampled gradients",
            f"Mean field on the server room, {SAMPLES} samples for each gradient. VIMCO's gradient is that of its own "
            f"bound, with groups of {GROUP} samples. The enumerated gradient has no variance and is not shown.",
        ),
    }
    return TextSection("The server room: what mean field loses", lines, figures)


def laplace_and_normal(seed: int) -> TextSection:
    """Part 1.5: a Laplace surrogate of a normal posterior, against its closed form."""
    network = catalogue.two_measurements(*DEVIATIONS)
    posterior = target(network, MEASURED)
    (s1, s2), (x1, x2) = DEVIATIONS, MEASURED.values()
    # c = 1 + 1/s1^2 + 1/s2^2, m = (x1/s1^2 + x2/s2^2) / c, b = 1 / sqrt(2 c)
    precision = 1 + 1 / s1**2 + 1 / s2**2
    location, scale = (x1 / s1**2 + x2 / s2**2) / precision, 1 / np.sqrt(2 * precision)
    log_evidence = quadrature(posterior).log_evidence
    fits = _fits(posterior, log_evidence, ("laplace", "normal"), seed)
    fitted = fits["laplace"].surrogate.distribution
    lines = [
        f"Fitted Laplace: location {float(fitted.loc[0]):.4f}, scale {float(fitted.scale[0]):.4f}",
        f"Closed form:    location {location:.4f}, scale {scale:.4f}",
        *(_line(one) for one in fits.values()),
        f"The Laplace gap in closed form, for any measurements: (ln pi - 1)/2 = {(log(pi) - 1) / 2:.6f} nats",
    ]
    points = np.linspace(location - WIDTH * scale, location + WIDTH * scale, 400)
    figure = density_curves(
        _exact_density(posterior, log_evidence, points),
        {name: _surrogate_density(one, points) for name, one in fits.items()},
        "z1",
        "A Laplace distribution in place of a normal posterior",
        f"Posterior of z1 given x1 = {x1} and x2 = {x2}, measured with standard deviations {s1} and {s2}.",
    )
    return TextSection("1.5  A Laplace surrogate", lines, {"laplace.png": figure})


def thermal(seed: int) -> TextSection:
    """A network with discrete and continuous variables: quadrature, NUTS and surrogates."""
    network = catalogue.server_room_thermal()
    evidence = {**THERMAL_EVIDENCE, "R": READING}
    posterior = target(network, evidence)
    grid, chains = quadrature(posterior), nuts(posterior, seed=seed)
    families = [name for name in THERMAL_FAMILIES if name != "full_normal"]  # in one dimension it is the normal
    fits = _fits(posterior, grid.log_evidence, families, seed, THERMAL_STARTS)
    two = target(network, THERMAL_EVIDENCE)
    fits_of_two = _fits(two, quadrature(two).log_evidence, THERMAL_FAMILIES, seed, THERMAL_STARTS)
    mean, deviation = grid.mean()[0], grid.std()[0]
    findings = ", ".join(f"{name}={value}" for name, value in evidence.items())
    results: dict[str, Result] = {"quadrature": grid, "NUTS": chains, **fits}
    lines = [
        f"Temperature C given {findings}; log p(evidence) = {grid.log_evidence.value:.6f} nats",
        f"quadrature   mean {mean:.4f}, standard deviation {deviation:.4f}",
        f"NUTS         mean {chains.mean()[0]:.4f} +- {chains.standard_error()[0]:.4f}, R-hat {chains.r_hat[0]:.4f}, "
        f"effective sample size {chains.effective_samples[0]:.0f} of {chains.draws[..., 0].size}",
        *(
            f"{_line(fitted)}; error of the mean {_marginal_mean(fitted, 'C') - mean:+.4f}, "
            f"Pareto k-hat {_k_hat(fitted, seed):.2f}"
            for fitted in fits.values()
        ),
        f"A k-hat above {LARGEST_RELIABLE_K} means that the surrogate's draws cannot be reweighted to the posterior.",
        "Without the sensor, the temperature C and its reading R are both hidden:",
        *(_line(fitted) for fitted in fits_of_two.values()),
        "Is the air conditioning broken, given the reading? It is discrete, and every method sums it out:",
        *(f"  {name}: P(A) = {_probabilities(result, ['A'])['A'][True]:.4f}" for name, result in results.items()),
    ]
    points = np.linspace(mean - WIDE * deviation, mean + WIDE * deviation, 500)
    figures = {
        "temperature.png": density_curves(
            _exact_density(posterior, grid.log_evidence, points),
            {name: _surrogate_density(fitted, points) for name, fitted in fits.items()},
            "temperature (degrees C)",
            "The server room's temperature",
            f"Posterior given {findings}. The door and the air conditioning are summed out.",
            chains.draws[..., 0].ravel(),
        ),
        "gaps_thermal.png": gap_bars(
            {
                name: {family: max(fitted.gap or 0.0, 0.0) for family, fitted in some.items()}
                for name, some in {"C": fits, "C and R": fits_of_two}.items()
            },
            "The gap of each family: continuous variables",
            "KL(surrogate || posterior) for the temperature C alone, and for C and its reading R together.",
        ),
    }
    return TextSection("The server room with its temperature", lines, figures)


def _fits(
    posterior: Target, log_evidence: LogEvidence, families: tuple[str, ...] | list[str], seed: int, starts: int = 8
) -> dict[str, Fit]:
    """By name, each family's fit to one posterior."""
    return {name: fit_target(posterior, name, seed=seed, starts=starts, log_evidence=log_evidence) for name in families}


def _line(fitted: Fit) -> str:
    """A fit in one line: family, ELBO, gap, algorithm, and a warning where it has not converged."""
    error = f" +- {fitted.elbo_error:.1g}" if fitted.elbo_error else ""
    warning = "" if fitted.converged else "; not converged"
    if fitted.impossible:
        warning += "; the ELBO exceeds the evidence: one of the two is wrong"
    # adding zero turns a rounded -0 into 0
    gap = ", gap unknown" if fitted.gap is None else f", gap {round(fitted.gap, 6) + 0.0:.6f}"
    name = fitted.family.replace("_", " ")
    return f"{name:15} ELBO {fitted.elbo:.6f}{error}{gap} nats ({fitted.algorithm}{warning})"


def _probabilities(result: Result, variables: tuple[str, ...] | list[str]) -> dict[str, Mapping[Any, float]]:
    """The marginals of discrete variables, by name."""
    marginals = {variable: result.marginal(variable) for variable in variables}
    return {name: marginal for name, marginal in marginals.items() if not isinstance(marginal, WeightedPoints)}


def _marginal_mean(result: Result, variable: str) -> float:
    marginal = result.marginal(variable)
    assert isinstance(marginal, WeightedPoints)
    return float(marginal.mean())


def _k_hat(fitted: Fit, seed: int) -> float:
    """Pareto k-hat of the weights from the surrogate to the posterior."""
    draws = fitted.surrogate.sample(DRAWS, seed=seed).numpy()
    return pareto_k((fitted.target.log_density(draws) - fitted.surrogate.log_prob(draws)).numpy())


def _exact_density(posterior: Target, log_evidence: LogEvidence, points: np.ndarray) -> Density:
    """The exact posterior density of one real variable at these points (n,)."""
    logs = posterior.log_density(tf.constant(points[:, np.newaxis])).numpy()
    return Density(points, np.exp(logs - log_evidence.value))


def _surrogate_density(fitted: Fit, points: np.ndarray) -> Density:
    """The surrogate's density of one real variable at these points (n,)."""
    return Density(points, fitted.surrogate.prob(points[:, np.newaxis]).numpy())


def _gradient_variances(posterior: Target, fitted: Fit, seed: int) -> dict[str, dict[str, float]]:
    """The variance of each estimator's gradient, summed over logits, at random logits and near a fit's maximum."""
    structure, random = mean_field(posterior), np.random.default_rng(seed)
    assert fitted.network is not None
    at = {
        "at random logits": [random.normal(size=shape) for shape in structure.shapes()],
        "near the maximum": [
            np.log(np.maximum(fitted.network.table(variable).probabilities, 1e-12)) for variable in structure.parents
        ],
    }
    return {
        place: {
            estimator: float(gradient_draws(posterior, structure, logits, estimator, REPETITIONS, seed).var(0).sum())
            for estimator in LOSSES
        }
        for place, logits in at.items()
    }
