"""Compares approximate posteriors with exact ones: text and figures of `python -m pgm_tfp variational`."""

from collections.abc import Iterator
from math import log, pi

import numpy as np

from pgm_tfp import catalogue, exact
from pgm_tfp.backend import tf
from pgm_tfp.conditionals import State
from pgm_tfp.notation import written
from pgm_tfp.plots import Density, density_curves, elbo_traces, gap_bars, probability_bars, variance_bars
from pgm_tfp.section import Section
from pgm_tfp.variational import Fit, fit, nuts, pareto_k, quadrature, target
from pgm_tfp.variational.sampled_gradients import LOSSES, gradient_draws
from pgm_tfp.variational.tables import mean_field
from pgm_tfp.variational.targets import Target

EVIDENCE: dict[str, State] = {"M": True, "S": False}
THERMAL_EVIDENCE = {"M": True, "S": False, "L": 60.0}
THERMAL_FAMILIES = ("normal", "laplace", "full_normal", "flow")
MEASURED = {"x1": 1.3, "x2": -0.4}
DEVIATIONS = (0.5, 2.0)
DRAWS, REPETITIONS = 4_000, 300
REACH = 8.0  # standard deviations that a density is drawn over


def all_comparisons(seed: int = 0) -> Iterator[Section]:
    """The server room, the assignment's 1.5, and the server room with its temperature."""
    yield server_room(seed)
    yield laplace_and_normal(seed)
    yield thermal(seed)


def server_room(seed: int) -> Section:
    """Mean field against a surrogate that keeps explaining away, and the gradients of sampled ELBOs."""
    network = catalogue.server_room()
    fits = {name: fit(network, EVIDENCE, name, seed=seed) for name in ("mean_field", "autoregressive")}
    log_evidence = exact.log_evidence(network, EVIDENCE)
    lines = [f"The posterior given {written(EVIDENCE)}; log p(evidence) = {log_evidence:.6f} nats"]
    lines += [_line(one) for one in fits.values()]
    hidden = fits["mean_field"].variables
    truth = exact.marginals(network, EVIDENCE)
    situations = {"exact": {variable: truth[variable] for variable in hidden}}
    for name, one in fits.items():
        assert one.network is not None
        marginals = exact.marginals(one.network)
        situations[name.replace("_", " ")] = {variable: marginals[variable] for variable in hidden}
    together = exact.joint_marginal(network, ["O", "A"], EVIDENCE)[True, True]
    apart = truth["O"][True] * truth["A"][True]
    lines.append(
        f"Door and air conditioning compete to explain the heat: P(O, A) = {together:.4f}, P(O) P(A) = {apart:.4f}."
    )
    lines.append(
        "Mean field cannot express that and puts its mass on one explanation; the autoregressive surrogate can."
    )
    evidence = f"Posterior given {written(EVIDENCE)}."
    variances = _variances(target(network, EVIDENCE), seed)
    for place, by_estimator in variances.items():
        values = ", ".join(f"{name.replace('_', ' ')} {value:.3g}" for name, value in by_estimator.items())
        lines.append(f"Variance of 64 samples' gradient, {place}: {values}")
    figures = {
        "surrogates.png": probability_bars(situations, "The posterior and its surrogates", evidence),
        "elbo_traces.png": elbo_traces(
            {name: one.trace for name, one in fits.items()},
            log_evidence,
            "The ELBO during optimisation",
            f"{evidence} Enumerated ELBO, best of eight starts; no surrogate can cross the dotted line.",
        ),
        "gaps.png": gap_bars(
            {"server room": {name: one.gap or 0.0 for name, one in fits.items()}},
            "Family against gap",
            f"KL(surrogate || posterior), exactly. {evidence} The autoregressive gap is rounding.",
        ),
        "gradient_variances.png": variance_bars(
            variances,
            "Variance of sampled gradients",
            "Mean field on the server room, 64 samples a gradient. The enumerated gradient has no variance. VIMCO's is "
            "that of its own bound, of groups of eight.",
        ),
    }
    return Section("The server room: what mean field loses", lines, figures)


def laplace_and_normal(seed: int) -> Section:
    """1.5: a Laplace surrogate of a normal posterior, against its closed form."""
    network = catalogue.two_measurements(*DEVIATIONS)
    (s1, s2), (x1, x2) = DEVIATIONS, MEASURED.values()
    # c = 1 + 1/s1^2 + 1/s2^2, m = (x1/s1^2 + x2/s2^2) / c, b = 1 / sqrt(2 c)
    precision = 1 + 1 / s1**2 + 1 / s2**2
    location, scale = (x1 / s1**2 + x2 / s2**2) / precision, 1 / np.sqrt(2 * precision)
    fits = {name: fit(network, MEASURED, name, seed=seed) for name in ("laplace", "normal")}
    fitted = fits["laplace"].surrogate.distribution
    lines = [
        f"Fitted Laplace: location {float(fitted.loc[0]):.4f}, scale {float(fitted.scale[0]):.4f}",
        f"Closed form:    location {location:.4f}, scale {scale:.4f}",
        *(_line(one) for one in fits.values()),
        f"The Laplace gap in closed form, whatever is measured: (ln pi - 1)/2 = {(log(pi) - 1) / 2:.6f} nats",
    ]
    points = np.linspace(location - 5 * scale, location + 5 * scale, 400)
    figure = density_curves(
        _posterior(target(network, MEASURED), points),
        {name: Density(points, _density(one, points)) for name, one in fits.items()},
        "z1",
        "A Laplace distribution in place of a normal posterior",
        f"Posterior of z1 given x1 = {x1} and x2 = {x2}, measured with standard deviations {s1} and {s2}.",
    )
    return Section("1.5  A Laplace surrogate", lines, {"laplace.png": figure})


def thermal(seed: int) -> Section:
    """A hybrid network: quadrature, NUTS and surrogates, discrete variables summed out."""
    network = catalogue.server_room_thermal()
    evidence = {**THERMAL_EVIDENCE, "R": 31.0}
    posterior = target(network, evidence)
    grid, chains = quadrature(posterior), nuts(posterior, seed=seed)
    seen = ", ".join(f"{name}={value}" for name, value in evidence.items())
    lines = [
        f"Temperature C given {seen}; log p(evidence) = {grid.log_evidence.value:.6f} nats",
        f"quadrature   mean {grid.mean()[0]:.4f}, standard deviation {grid.std()[0]:.4f}",
        f"NUTS         mean {chains.mean()[0]:.4f} +- {chains.standard_error()[0]:.4f}, R-hat {chains.r_hat[0]:.4f}, "
        f"effective sample size {chains.effective_samples[0]:.0f} of {chains.draws[..., 0].size}",
    ]
    fits = {
        name: fit(network, evidence, name, seed=seed, starts=4) for name in THERMAL_FAMILIES if name != "full_normal"
    }
    for one in fits.values():
        draws = one.surrogate.sample(DRAWS, seed=seed).numpy()
        weights = (posterior.log_density(draws) - one.surrogate.log_prob(draws)).numpy()
        bias = draws.mean() - grid.mean()[0]
        lines.append(f"{_line(one)}; bias of the mean {bias:+.4f}, Pareto k-hat {pareto_k(weights):.2f}")
    lines.append("A k-hat above 0.7 says that the surrogate's draws cannot be reweighted into the posterior.")
    two = {name: fit(network, THERMAL_EVIDENCE, name, seed=seed, starts=4) for name in THERMAL_FAMILIES}
    lines += ["With the sensor silent, C and its reading R are both unknown:", *(_line(one) for one in two.values())]
    mean, reach = grid.mean()[0], REACH * grid.std()[0]
    points = np.linspace(mean - reach, mean + reach, 500)
    figures = {
        "temperature.png": density_curves(
            _posterior(posterior, points),
            {name: Density(points, _density(one, points)) for name, one in fits.items()},
            "temperature (degrees C)",
            "The server room's temperature",
            f"Posterior given {seen}; door and air conditioning summed out.",
            chains.draws[..., 0].ravel(),
        ),
        "gaps_thermal.png": gap_bars(
            {
                "C": {name: max(one.gap or 0.0, 0.0) for name, one in fits.items()},
                "C and R": {name: max(one.gap or 0.0, 0.0) for name, one in two.items()},
            },
            "Family against gap, continuous",
            "KL(surrogate || posterior) for the temperature alone, and for temperature and reading together.",
        ),
    }
    return Section("The server room with its temperature", lines, figures)


def _line(one: Fit) -> str:
    error = f" +- {one.elbo_error:.1g}" if one.elbo_error else ""
    sure = "" if one.converged else "; not converged"
    if one.impossible:
        sure += "; the ELBO exceeds the evidence: one of the two is wrong"
    # adding zero takes the minus from a rounded zero
    gap = ", gap unknown" if one.gap is None else f", gap {round(one.gap, 6) + 0.0:.6f}"
    return f"{one.family.replace('_', ' '):15} ELBO {one.elbo:.6f}{error}{gap} nats ({one.algorithm}{sure})"


def _posterior(posterior: Target, points: np.ndarray) -> Density:
    """The exact posterior of one real variable at these points."""
    logs = posterior.log_density(tf.constant(points[:, np.newaxis])).numpy()
    return Density(points, np.exp(logs - quadrature(posterior).log_evidence.value))


def _density(one: Fit, points: np.ndarray) -> np.ndarray:
    return one.surrogate.prob(points[:, np.newaxis]).numpy()


def _variances(posterior: Target, seed: int) -> dict[str, dict[str, float]]:
    """The variance of the gradient by estimator, summed over logits, at random logits and near the maximum."""
    structure = mean_field(posterior)
    random = np.random.default_rng(seed)
    start = [random.normal(size=shape) for shape in structure.shapes()]
    optimum = fit(posterior.network, EVIDENCE, seed=seed).network
    assert optimum is not None
    top = [np.log(np.maximum(optimum.table(variable).probabilities, 1e-12)) for variable in structure.parents]
    return {
        place: {
            estimator: float(gradient_draws(posterior, structure, logits, estimator, REPETITIONS, seed).var(0).sum())
            for estimator in LOSSES
        }
        for place, logits in (("at random logits", start), ("near the maximum", top))
    }
