"""The information in each latent, and the standard deviation of its posterior."""

import numpy as np

from vae_keras import metrics
from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.evaluation.record import Latents
from vae_keras.plots import latent_bars
from vae_keras.priors import StandardNormal


def latents(context: EvaluationContext) -> Evaluation:
    """The KL (or the information) of each latent and its mean posterior standard deviation, on the test images."""
    mean, log_variance = context.test_posterior
    std = np.mean(np.exp(0.5 * log_variance), axis=0)
    information = context.information
    nats, order, name = information.nats, information.order, information.name
    if information.is_kl:
        meaning = f"KL(q(z_j|x) || p(z_j)), mean over {len(mean):,} test images; the sum is {nats.sum():.1f} nats"
    else:
        meaning = (
            f"an upper bound of the mutual information of z_j and the image, on {len(mean):,} test images. This prior "
            f"gives no KL of a single latent; the KL of all latents is {context.test_elbo.kl:.1f} nats"
        )
    figure = latent_bars(
        nats[order],
        std[order],
        [f"z{latent}" for latent in order],
        f"The {name} of each latent",
        f"Above: {meaning}. Below: mean standard deviation of q(z_j|x). A latent with 0 nats has no information about "
        f"the image. {metrics.active_units(mean)} of {len(nats)} latents are active: the variance of their posterior "
        f"mean over the images is above 0.01.",
        ylabel=f"{name} (nats)",
        prior_std=1.0 if isinstance(context.vae.prior, StandardNormal) else None,
    )
    numbers: Latents = {"mean_std": std.tolist()}
    numbers |= {"kl": nats.tolist()} if information.is_kl else {"information": nats.tolist()}
    return Evaluation({"latents.png": figure}, {"latents": numbers})
