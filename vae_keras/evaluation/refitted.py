"""The ELBO of the model with the prior that was fitted after training."""

import numpy as np

from common.estimates import Estimate
from vae_keras import metrics
from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.evaluation.record import FittedPrior
from vae_keras.priors import Prior, log_prior
from vae_keras.types import Posterior

DRAWS = 16


def refitted(context: EvaluationContext) -> Evaluation:
    """The ELBO with the fitted prior; no figure. Empty if there is no fitted prior.

    Only the term E_q[log p(z)] differs from the ELBO with the model's own prior. Both are bounds of log p(x), each of a
    model with its prior.
    """
    prior = context.fitted_prior
    if prior is None:
        return Evaluation({}, {})
    gain = prior_gain(context.vae.prior, prior, context.test_posterior, context.config.seed)
    error = gain.standard_error
    numbers: FittedPrior = {
        "components": len(prior.weights),
        "elbo": {"value": context.test_elbo.elbo + gain.value, "standard_error": error},
        "gain": {"value": gain.value, "standard_error": error},
        "images": len(context.test_images),
    }
    return Evaluation({}, {"fitted_prior": numbers})


def prior_gain(own: Prior, other: Prior, posterior: Posterior, seed: int = 0, draws: int = DRAWS) -> Estimate:
    """E_q[log p'(z) - log p(z)] for two priors, mean over images, in nats; the error is that of the draws.

    Args:
        own, other: p and p'.
        posterior: mean and log-variance, (n, latents) each.
        draws: of z for each image, at least two.
    """
    mean, log_variance = (np.asarray(part, float) for part in posterior)
    z = Posterior(mean, log_variance).sample(draws, seed)
    return metrics.mean_over_draws(np.stack([log_prior(other, each) - log_prior(own, each) for each in z]))
