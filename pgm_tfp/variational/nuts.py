"""The No-U-Turn sampler on the hidden continuous variables (Hoffman & Gelman 2014); discrete ones are summed out."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from common.errors import UserError
from pgm_tfp.variational.targets import Target

CHAINS, BURN_IN, DRAWS = 4, 500, 1_000
ACCEPTANCE = 0.8


class Chains(NamedTuple):
    """Draws from the posterior and their diagnostics.

    Attributes:
        draws: in the model's own space, (draws, chains, columns).
        columns: names of the columns: z of a scalar, w[0], w[1] of a vector.
        r_hat: potential scale reduction of each column, 1 where the chains agree (Gelman & Rubin 1992).
        effective_samples: of each column, all chains together.
        accepted: mean acceptance probability.
    """

    draws: np.ndarray
    columns: tuple[str, ...]
    r_hat: np.ndarray
    effective_samples: np.ndarray
    accepted: float

    def mean(self) -> np.ndarray:
        """Posterior means."""
        return self.draws.mean((0, 1))

    def standard_error(self) -> np.ndarray:
        """Of the means, by the effective number of samples."""
        return self.draws.std((0, 1)) / np.sqrt(self.effective_samples)


def nuts(target: Target, draws: int = DRAWS, burn_in: int = BURN_IN, chains: int = CHAINS, seed: int = 0) -> Chains:
    """Sample the posterior in unconstrained coordinates, every chain from another draw of the prior.

    Raises:
        UserError: no continuous variable is hidden, or a density is not a number.
    """
    if not target.continuous:
        raise UserError("no continuous variable is hidden: NUTS has nothing to move; use exact.marginals")
    prior = target.prior_draws
    spread, start = np.maximum(prior.std(0), 1e-3), prior[:chains]
    kernel = tfp.mcmc.DualAveragingStepSizeAdaptation(
        tfp.mcmc.NoUTurnSampler(target.log_density, step_size=tf.constant(0.1 * spread)),
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
        raise UserError("NUTS left the numbers that float64 holds; check the scale of the model's distributions")
    values = target.model_draws(states.reshape(-1, states.shape[-1]), seed).reshape(*states.shape[:2], -1)
    return Chains(
        values,
        target.columns,
        tfp.mcmc.potential_scale_reduction(tf.constant(values), independent_chain_ndims=1).numpy(),
        tfp.mcmc.effective_sample_size(tf.constant(values), cross_chain_dims=1).numpy(),
        float(tf.reduce_mean(tf.exp(tf.minimum(log_accept, 0.0)))),
    )
