"""Figures of part 2.2: the linear beta-VAE, estimates from a batch, permutations of codes.

This module computes everything from formulas of the pages docs/theory/2-2-*.md and reads no data.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FormatStrFormatter, NullLocator
from scipy.special import logsumexp
from scipy.stats import norm

from common.figures import BLUE, ORANGE, PALE_BLUE, open_axes

EIGENVALUES = np.array([48.0, 24.0, 12.0, 6.0, 3.0, 1.5])  # in units of the likelihood's variance
MARKED_BETAS = (1.0, 4.0, 16.0)
FONT_SIZE = 10


def linear_vae_kl(beta: np.ndarray) -> np.ndarray:
    """KL of each latent at the optimum of the linear VAE, (betas, latents), in nats.

    It is 1/2 log(eigenvalue / (beta variance)), or 0 where that is negative.
    """
    return 0.5 * np.log(np.maximum(EIGENVALUES / beta[:, None], 1.0))


def linear_vae_reconstruction(beta: np.ndarray) -> np.ndarray:
    """Best E log p(x | z) without its constant, (betas,), in nats: -1/2 sum min(eigenvalue / variance, beta)."""
    return -0.5 * np.sum(np.minimum(EIGENVALUES, beta[:, None]), axis=1)


def estimated_total_correlation(
    means: np.ndarray, deviations: np.ndarray, batch_size: int, own: float, batches: int, rng: np.random.Generator
) -> float:
    """Mean estimate of TC over random batches, in nats.

    Args:
        means, deviations: of the Gaussian posteriors, (n, latents).
        batch_size: number of posteriors in a batch.
        own: weight of the posterior from which a code is drawn; its companions share the remaining weight equally.
        batches: number of batches.
        rng: draws the batches and the codes.
    """
    log_weights = np.full((batch_size, batch_size), np.log((1 - own) / (batch_size - 1)))
    np.fill_diagonal(log_weights, np.log(own))
    estimates = []
    for _ in range(batches):
        members = rng.choice(len(means), batch_size, replace=False)
        codes = means[members] + deviations[members] * rng.normal(size=(batch_size, means.shape[1]))
        # log q(z_j | x_b), code by posterior by latent
        each = norm.logpdf(codes[:, None], means[members], deviations[members])
        joint = logsumexp(log_weights + each.sum(-1), axis=1)
        marginals = logsumexp(log_weights[..., None] + each, axis=1).sum(-1)
        estimates.append(np.mean(joint - marginals))
    return float(np.mean(estimates))


def linear_vae_over_beta() -> Figure:
    """Left: latents switch off one after another as beta grows. Right: the resulting trade-off curve."""
    figure = Figure(figsize=(7.6, 3.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    betas = np.geomspace(0.5, 64, 500)
    kl, reconstruction = linear_vae_kl(betas), linear_vae_reconstruction(betas)
    shades = LinearSegmentedColormap.from_list("blues", [BLUE, PALE_BLUE])(np.linspace(0, 1, len(EIGENVALUES)))
    for nats, eigenvalue, shade in zip(kl.T, EIGENVALUES, shades, strict=True):
        used = betas <= eigenvalue
        left.plot(betas[used], nats[used], color=shade, linewidth=2)
        left.plot(eigenvalue, 0, "o", color=shade, markersize=6, clip_on=False, zorder=3)
        left.annotate(f"{eigenvalue:g}", (0.5, nats[0]), (-4, 0), textcoords="offset points", ha="right", va="center")
    left.axvline(1, color=ORANGE, linewidth=1, linestyle="--")
    left.annotate("VAE", (1, 2.25), (4, 0), textcoords="offset points", color=ORANGE)
    left.set(xscale="log", xlabel="beta", ylabel="KL of the latent (nats)", xlim=(0.3, 64), ylim=(0, 2.4))
    left.xaxis.set_major_locator(FixedLocator([0.5, 1, 2, 4, 8, 16, 32, 64]))
    left.xaxis.set_minor_locator(NullLocator())
    left.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    left.set_title("A latent is off once beta ≥ its eigenvalue", fontsize=FONT_SIZE, loc="left")
    open_axes(left, "y")

    right.plot(kl.sum(1), reconstruction, color=BLUE, linewidth=2)
    for beta in MARKED_BETAS:
        one = np.array([beta])
        nats, value = float(linear_vae_kl(one).sum()), float(linear_vae_reconstruction(one)[0])
        reach = 2.2 / np.hypot(1, beta / 4)
        along = np.array([-reach, reach])
        colour = ORANGE if beta == 1 else "#555555"
        right.plot(nats + along, value + beta * along, color=colour, linewidth=1.2, linestyle="--")
        right.plot(nats, value, "o", color=colour, markersize=6, zorder=3)
        right.annotate(f"beta = {beta:g}", (nats, value), (8, -14), textcoords="offset points", color=colour)
    right.set(xlabel="KL, all latents (nats)", ylabel="best log-likelihood + constant (nats)")
    right.set_title("The slope of the trade-off is beta", fontsize=FONT_SIZE, loc="left")
    open_axes(right, "both")
    return figure


def minibatch_estimates() -> Figure:
    """Naive and stratified estimates of TC from batches of growing size, and the exact value."""
    rng = np.random.default_rng(0)
    images, latents = 500, 4
    mixing = np.eye(latents) + 0.4 * rng.normal(size=(latents, latents))
    means = rng.normal(size=(images, latents)) @ mixing
    deviations = rng.uniform(0.25, 0.5, (images, latents))
    sizes = np.array([4, 8, 16, 32, 64, 128, 250, 500])
    exact = estimated_total_correlation(means, deviations, images, 1 / images, 12, rng)
    figure = Figure(figsize=(7.0, 3.4), layout="constrained")
    axes = figure.subplots()
    curves = {"naive": (lambda size: 1 / size, ORANGE), "stratified": (lambda size: 1 / images, BLUE)}
    for name, (own, colour) in curves.items():
        values = [
            estimated_total_correlation(means, deviations, size, own(size), max(4, 4000 // size), rng) for size in sizes
        ]
        axes.plot(sizes, values, "o-", color=colour, markersize=5, label=name)
    axes.axhline(exact, color="#333333", linewidth=1, linestyle="--", label="exact")
    axes.set(xscale="log", xlabel="batch size", ylabel="estimated total correlation (nats)")
    axes.xaxis.set_major_locator(FixedLocator(sizes.tolist()))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes.legend(frameon=False)
    open_axes(axes, "y")
    return figure


def permutations() -> Figure:
    """Codes, a sample of the product of their marginals, and two wrong permutations that do not give such a sample."""
    rng = np.random.default_rng(1)
    plain = rng.normal(size=(400, 2))
    codes = np.stack([plain[:, 0], 2.5 * (0.85 * plain[:, 0] + np.sqrt(1 - 0.85**2) * plain[:, 1])], axis=1)
    panels = {
        "codes": codes,
        "each latent separately": np.stack([rng.permutation(column) for column in codes.T], axis=1),
        "wrong: same for both": rng.permutation(codes),
        "wrong: within a code": rng.permuted(codes, axis=1),
    }
    figure = Figure(figsize=(8.0, 2.6), layout="constrained")
    for axes, (title, points) in zip(figure.subplots(1, 4, sharex=True, sharey=True), panels.items(), strict=True):
        _scatter(axes, points, ORANGE if title.startswith("wrong") else BLUE)
        axes.set_title(title, fontsize=FONT_SIZE)
        axes.set_xlabel("latent 1")
    figure.axes[0].set_ylabel("latent 2")
    return figure


def _scatter(axes: Axes, points: np.ndarray, colour: str) -> None:
    axes.plot(*points.T, ".", color=colour, markersize=3, alpha=0.6)
    axes.set(xlim=(-8, 9), ylim=(-8, 9), aspect="equal")
    axes.text(
        0.04, 0.96, f"correlation {np.corrcoef(points.T)[0, 1]:.2f}", transform=axes.transAxes, va="top", fontsize=9
    )
    open_axes(axes, "both")


def figures() -> dict[str, Figure]:
    """The figures of this module, by file name."""
    return {
        "theory_linear_vae_beta.png": linear_vae_over_beta(),
        "theory_minibatch_estimates.png": minibatch_estimates(),
        "theory_permutations.png": permutations(),
    }
