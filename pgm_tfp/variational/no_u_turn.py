"""The No-U-Turn sampler on the hidden continuous variables (Hoffman & Gelman 2014).

Hidden discrete variables are summed out of the density, so that the sampler sees a smooth function.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from common.errors import UserError
from pgm_tfp.results import LogEvidence, Marginal
from pgm_tfp.variational.frames import CompiledDensity, frames_of_modes
from pgm_tfp.variational.marginals import marginal_of
from pgm_tfp.variational.targets import Target

CHAINS, BURN_IN, DRAWS = 4, 500, 1_000
ACCEPTANCE = 0.8
# Vehtari et al. 2021, "Rank-normalization, folding, and localization: an improved R-hat", section 4
LARGEST_R_HAT, FEWEST_EFFECTIVE_SAMPLES = 1.01, 400
MOST_MISSED = 0.01  # share of the mass
NEAR, SHOWN = 4.0, 64  # standard deviations from a mode at which a draw is in it; draws that show where modes may be


class Chains(NamedTuple):
    """Draws from the posterior and their diagnostics.

    Attributes:
        target: the posterior that was sampled.
        draws: in the model's own space, (draws, chains, columns).
        interface: p(x | evidence) for each joint state x of the target's interface, (states,), averaged over draws.
        r_hat: potential scale reduction of each column, 1 where the chains agree (Gelman & Rubin 1992).
        effective_samples: of each column, all chains together.
        accepted: mean acceptance probability.
        missed: the share of the mass of all modes that are found (by Laplace's approximation) in which there is no
            draw. Chains that are all in the same mode agree with each other, so R-hat cannot show it.
    """

    target: Target
    draws: np.ndarray
    interface: np.ndarray
    r_hat: np.ndarray
    effective_samples: np.ndarray
    accepted: float
    missed: float = 0.0

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns: z for a scalar, w[0] and w[1] for a vector."""
        return self.target.columns

    def mean(self) -> np.ndarray:
        """Posterior means, (columns,)."""
        return self.draws.mean((0, 1))

    def standard_error(self) -> np.ndarray:
        """Standard errors of the means, (columns,), from the effective numbers of samples."""
        return self.draws.std((0, 1)) / np.sqrt(self.effective_samples)

    def marginal(self, variable: str) -> Marginal:
        """The posterior of one variable: of a continuous one, all draws with equal weights."""
        points = self.draws.reshape(-1, self.draws.shape[-1])
        return marginal_of(self.target, variable, points, np.full(len(points), 1.0 / len(points)), self.interface)

    @property
    def log_evidence(self) -> LogEvidence:
        """Unknown: the draws of a Markov chain do not give the normalising constant."""
        return LogEvidence("unknown")

    @property
    def converged(self) -> bool:
        """No mode is missed, R-hat is at most 1.01, and each column has 400 effective samples (Vehtari et al. 2021)."""
        # A single chain has no R-hat (NaN), and does not pass.
        agree = (self.r_hat <= LARGEST_R_HAT).all() and (self.effective_samples >= FEWEST_EFFECTIVE_SAMPLES).all()
        return bool(agree and self.missed < MOST_MISSED)


def nuts(target: Target, draws: int = DRAWS, burn_in: int = BURN_IN, chains: int = CHAINS, seed: int = 0) -> Chains:
    """Draws from the posterior of the hidden continuous variables.

    The sampler moves in unconstrained coordinates. Every chain starts from another draw of the prior.

    Args:
        draws: kept draws per chain.
        burn_in: draws per chain that adapt the step size and are thrown away.
        chains: their number; one alone cannot show that it has converged.

    Raises:
        UserError: no continuous variable is hidden, or a density is not a number.
    """
    if not target.continuous:
        raise UserError("no continuous variable is hidden, and NUTS samples only those; use exact.marginals")
    start = target.prior_draws[:chains]
    kernel = tfp.mcmc.DualAveragingStepSizeAdaptation(
        tfp.mcmc.NoUTurnSampler(target.log_density, step_size=tf.constant(0.1 * target.prior_scale)),
        num_adaptation_steps=int(0.8 * burn_in),
        target_accept_prob=tf.constant(ACCEPTANCE, tf.float64),
    )

    @tf.function
    def run() -> tuple[tf.Tensor, tf.Tensor]:
        return tfp.mcmc.sample_chain(
            draws,
            tf.constant(start),
            kernel=kernel,
            num_burnin_steps=burn_in,
            trace_fn=lambda _, results: results.inner_results.log_accept_ratio,
            seed=[seed, 0],
        )

    states, log_accept = run()
    states = states.numpy()
    if not np.isfinite(states).all():
        target.check_numbers(start)
        raise UserError("a NUTS chain went to infinity; check the scales of the model's distributions")
    u = states.reshape(-1, states.shape[-1])
    values = target.model_draws(u, seed).reshape(*states.shape[:2], -1)
    return Chains(
        target,
        values,
        target.interface_posterior(u).mean(0),
        _r_hat(values),
        _effective_samples(values),
        float(tf.reduce_mean(tf.exp(tf.minimum(log_accept, 0.0)))),
        _missed(target, u),
    )


def _missed(target: Target, u: np.ndarray) -> float:
    """The share of the mass of all modes that are found in which there is no draw; u (draws, d)."""
    frames = frames_of_modes(CompiledDensity(target), points=u[:: max(1, len(u) // SHOWN)])
    masses = np.exp([frame.log_mass - frames[0].log_mass for frame in frames])
    near = [bool(((frame.coordinates(u) ** 2).sum(1) < (NEAR**2 + u.shape[1])).any()) for frame in frames]
    return float(masses[~np.array(near)].sum() / masses.sum()) if frames else 0.0


def _effective_samples(values: np.ndarray) -> np.ndarray:
    """Effective sample size of each column, all chains together, (columns,)."""
    several = values.shape[1] > 1  # TensorFlow Probability compares chains only where there are two or more
    sizes = tfp.mcmc.effective_sample_size(tf.constant(values), cross_chain_dims=1 if several else None).numpy()
    return sizes if several else sizes[0]


def _r_hat(values: np.ndarray) -> np.ndarray:
    """Potential scale reduction of each column, (columns,); not a number (NaN) for a single chain."""
    if values.shape[1] < 2:
        return np.full(values.shape[2], np.nan)
    return tfp.mcmc.potential_scale_reduction(tf.constant(values), independent_chain_ndims=1).numpy()
