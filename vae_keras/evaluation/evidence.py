"""What the ELBO is made of, and how far it lies below log p(x)."""

import numpy as np

from vae_keras import metrics
from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.evaluation.record import Record, WithError
from vae_keras.metrics.kl_split import Estimate
from vae_keras.plots import error_bars
from vae_keras.types import Posterior

SAMPLES = 64
MOST_BOUNDED = 200  # images; each is decoded SAMPLES times
MOST_SPLIT = 1_000  # images; time grows with their square


def evidence(context: EvaluationContext) -> Evaluation:
    """The importance-weighted bound beside the ELBO, and the KL in its three parts, on test images."""
    places = np.sort(context.random_test_images(MOST_SPLIT))
    split = metrics.split_kl(
        Posterior(*(part[places] for part in context.test_posterior)), context.vae.prior, seed=context.config.seed
    )
    bounded = np.sort(context.random_test_images(MOST_BOUNDED))
    images = context.test_images[bounded]
    bound = float(np.mean(metrics.importance_weighted_bound(context.vae, images, SAMPLES, context.config.seed)))
    elbo = float(np.mean(metrics.importance_weighted_bound(context.vae, images, 1, context.config.seed)))
    parts = {
        "mutual information": split.mutual_information,
        "total correlation": split.total_correlation,
        "dimension-wise KL": split.dimension_wise_kl,
    }
    figure = error_bars(
        {name: (part.value, part.standard_error) for name, part in parts.items()},
        "What the KL is made of",
        f"Mean KL of {split.images:,} test images, {split.kl:.1f} nats, by sums over their aggregate posterior, with "
        f"two standard errors. Mutual information cannot exceed ln {split.images:,} = {split.ceiling:.2f} nats however "
        f"much the latents know; what lies above it appears in the other parts.",
        "nats",
    )
    numbers: Record = {
        "kl_split": {
            "mutual_information": _with_error(split.mutual_information),
            "total_correlation": _with_error(split.total_correlation),
            "dimension_wise_kl": _with_error(split.dimension_wise_kl),
            "kl": split.kl,
            "ceiling": split.ceiling,
            "images": split.images,
        },
        "importance_weighted": {"bound": bound, "elbo": elbo, "samples": SAMPLES, "images": len(images)},
    }
    return Evaluation({"kl_split.png": figure}, numbers)


def _with_error(part: Estimate) -> WithError:
    return {"value": part.value, "standard_error": part.standard_error}
