"""Figures of the pages on the ELBO, on the reparameterisation trick, and on building a VAE."""

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.optimize import minimize
from scipy.stats import chi

from common.figures import BLUE, COLOURS, ORANGE, PALE_BLUE, open_axes

GRID = np.linspace(-7.0, 7.0, 7001)
STEP = GRID[1] - GRID[0]
NOISE, OBSERVED = 0.55, 1.0  # of the model in the first figure
ENCODERS_GUESS = (0.35, np.log(0.75))  # mean and log standard deviation


class Gap(NamedTuple):
    """The posterior of a model with one latent and one observation, and two Gaussian approximations.

    Attributes:
        posterior, best, guess: densities on GRID: the true posterior, the best Gaussian, the Gaussian of an encoder.
        log_evidence, best_elbo, guess_elbo: in nats.
    """

    posterior: np.ndarray
    best: np.ndarray
    guess: np.ndarray
    log_evidence: float
    best_elbo: float
    guess_elbo: float


def figures() -> dict[str, Figure]:
    """The figures of this module, by file name."""
    return {
        "theory_elbo_gap.png": gap_figure(gap_of_a_nonlinear_decoder()),
        "theory_gradient_variance.png": gradient_variance_figure(),
        "theory_latent_norms.png": latent_norms_figure(),
    }


def gap_of_a_nonlinear_decoder() -> Gap:
    """p(z) = N(0, 1), p(x | z) = N(z^2 + z / 2, NOISE^2), at x = OBSERVED, by sums over GRID."""
    log_joint = _log_normal(GRID, 0.0, 1.0) + _log_normal(OBSERVED, GRID**2 + GRID / 2, NOISE)
    evidence = np.sum(np.exp(log_joint)) * STEP

    def elbo(parameters: np.ndarray) -> float:
        log_q = _log_normal(GRID, parameters[0], np.exp(parameters[1]))
        return float(np.sum(np.exp(log_q) * (log_joint - log_q)) * STEP)

    best = minimize(lambda parameters: -elbo(parameters), (0.8, -1.0), method="Nelder-Mead").x
    guess = np.array(ENCODERS_GUESS)
    fitted, guessed = (np.exp(_log_normal(GRID, mean, np.exp(log_std))) for mean, log_std in (best, guess))
    return Gap(np.exp(log_joint) / evidence, fitted, guessed, float(np.log(evidence)), elbo(best), elbo(guess))


def gap_figure(gap: Gap) -> Figure:
    """Left: the densities. Right: each ELBO, and its distance from log p(x)."""
    figure = Figure(figsize=(8.0, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1.0))
    left.fill_between(GRID, gap.posterior, color=PALE_BLUE, alpha=0.6, label="true posterior p(z | x)")
    left.plot(GRID, gap.best, color=BLUE, label="best Gaussian")
    left.plot(GRID, gap.guess, color=ORANGE, label="encoder's Gaussian")
    left.set(xlabel="z", ylabel="density", xlim=(-3.2, 3.2), ylim=(0, 1.45))
    left.legend(loc="upper left", frameon=False, fontsize=9)
    open_axes(left, "y")

    lowest = np.floor(gap.guess_elbo) - 0.5
    bars = (gap.log_evidence, gap.best_elbo, gap.guess_elbo)
    right.bar(range(3), [bar - lowest for bar in bars], bottom=lowest, color=(PALE_BLUE, BLUE, ORANGE), width=0.62)
    right.axhline(gap.log_evidence, color="#333333", linewidth=1, linestyle="--")
    right.text(2.9, gap.log_evidence + 0.04, "log p(x)", ha="right", va="bottom", fontsize=9)
    _gap_arrow(right, 1, gap.log_evidence, gap.best_elbo, "approximation\ngap")
    _gap_arrow(right, 2, gap.best_elbo, gap.guess_elbo, "amortisation\ngap")
    right.plot((1.31, 2.8), (gap.best_elbo, gap.best_elbo), color=BLUE, linewidth=1, linestyle=":")
    right.set_xticks(range(3), ["ELBO of the\ntrue posterior", "best\nGaussian", "encoder's\nGaussian"])
    right.set(ylabel="nats", xlim=(-0.5, 2.95), ylim=(lowest, gap.log_evidence + 0.35))
    open_axes(right, "y")
    return figure


def gradient_variance_figure() -> Figure:
    """Variances for f(z) = z^2 under N(mu, sigma^2), against mu / sigma and against the number of latents."""
    figure = Figure(figsize=(8.0, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    ratio = np.linspace(0.0, 4.0, 200)
    left.plot(ratio, ratio**4 + 14 * ratio**2 + 15, color=ORANGE, label="score function")
    left.plot(ratio, 8 * ratio**2 + 10, color=ORANGE, linestyle="--", label="score function, baseline E f")
    left.plot(ratio, np.full_like(ratio, 4.0), color=BLUE, label="reparameterised")
    left.set(xlabel="μ / σ, one latent", ylabel="variance, in units of σ²", yscale="log", ylim=(1, 3000))

    dimensions = np.arange(1, 257)
    right.plot(dimensions, dimensions**2 + 6 * dimensions + 8, color=ORANGE)
    right.plot(dimensions, 2 * dimensions + 8, color=ORANGE, linestyle="--")
    right.plot(dimensions, np.full(len(dimensions), 4.0), color=BLUE)
    right.set(xlabel="number of latents, μ = 0", xscale="log", yscale="log", ylim=(1, 2e5))
    right.set_xticks([1, 4, 16, 64, 256], ["1", "4", "16", "64", "256"])
    right.minorticks_off()
    for axes in (left, right):
        open_axes(axes, "y")
    left.legend(loc="upper left", frameon=False, fontsize=9)
    return figure


def latent_norms_figure() -> Figure:
    """Left: densities of the norm of z under N(0, I). Right: norms along the two kinds of path."""
    figure = Figure(figsize=(8.0, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.2, 1.0))
    norm = np.linspace(0.0, 10.5, 500)
    for latents, colour in zip((1, 2, 8, 32, 64), COLOURS, strict=False):
        density = chi.pdf(norm, latents)
        left.plot(norm, density, color=colour)
        peak = int(np.argmax(density))
        left.text(norm[peak] + 0.05, density[peak] + 0.015, f"{latents}", color=colour, ha="center", fontsize=10)
    left.set(xlabel="norm of z, by number of latents", ylabel="density", ylim=(0, 0.9))

    share = np.linspace(0.0, 1.0, 100)
    right.plot(share, np.ones_like(share), color=BLUE, label="arc (slerp)")
    right.plot(share, np.sqrt(share**2 + (1 - share) ** 2), color=ORANGE, label="straight line (lerp)")
    low, high = chi.ppf((0.025, 0.975), 32) / chi.mean(32)
    right.axhspan(low, high, color=PALE_BLUE, alpha=0.35, linewidth=0)
    right.text(0.5, high - 0.01, "95 % of the prior, 32 latents", ha="center", va="top", fontsize=9)
    right.set(xlabel="position on the path, from 0 to 1", ylabel="norm divided by norm of the ends", ylim=(0.6, 1.3))
    right.legend(loc="lower left", frameon=False, fontsize=9)
    for axes in (left, right):
        open_axes(axes, "y")
    return figure


def _log_normal(value: np.ndarray | float, mean: np.ndarray | float, std: float) -> np.ndarray:
    return -0.5 * (np.log(2 * np.pi) + ((value - mean) / std) ** 2) - np.log(std)


def _gap_arrow(axes: Axes, place: int, top: float, bottom: float, text: str) -> None:
    axes.annotate("", (place, top), (place, bottom), arrowprops={"arrowstyle": "<->", "color": "#333333"})
    axes.text(place + 0.06, (top + bottom) / 2, text, fontsize=9, va="center")
