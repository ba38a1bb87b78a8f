"""The KL and the posterior standard deviation of each latent."""

import numpy as np

from vae_keras import metrics
from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.plots import latent_bars


def latents(context: EvaluationContext) -> Evaluation:
    """The KL and the mean posterior standard deviation of each latent, on the test images."""
    mean, log_variance = context.test_posterior
    std = np.mean(np.exp(0.5 * log_variance), axis=0)
    order, kl = context.informative_latents, context.kl_of_latents
    active = metrics.active_units(mean)
    figure = latent_bars(
        kl[order],
        std[order],
        [f"z{latent}" for latent in order],
        "The KL of each latent",
        f"Above: KL(q(z_j|x) || p(z_j)), mean over {len(mean):,} test images; the sum is {kl.sum():.1f} nats. Below: "
        f"mean standard deviation of q(z_j|x). A latent with a KL of 0 has no information about the image. {active} of "
        f"{len(kl)} latents are active: the variance of their posterior mean over the images is above 0.01.",
    )
    return Evaluation({"latents.png": figure}, {"latents": {"kl": kl.tolist(), "mean_std": std.tolist()}})
