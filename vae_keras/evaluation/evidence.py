"""The three parts of the KL, and the importance-weighted bound of log p(x)."""

import numpy as np

from common.estimates import Estimate
from vae_keras import metrics
from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.evaluation.record import EstimateRecord, Record
from vae_keras.plots import error_bars
from vae_keras.types import Posterior

SAMPLES = 64
MOST_BOUNDED = 200  # images for the bound; each is decoded SAMPLES times
MOST_SPLIT = 1_000  # images for the parts of the KL; the time grows with the square of their number


def evidence(context: EvaluationContext) -> Evaluation:
    """The importance-weighted bound, the ELBO, and the three parts of the KL, on test images."""
    places = np.sort(context.random_test_images(MOST_SPLIT))
    split = metrics.split_kl(
        Posterior(*(part[places] for part in context.test_posterior)), context.vae.prior, seed=context.config.seed
    )
    bounded = np.sort(context.random_test_images(MOST_BOUNDED))
    images = context.test_images.part(bounded)
    bound = float(np.mean(metrics.importance_weighted_bound(context.vae, images, SAMPLES, context.config.seed)))
    elbo = float(np.mean(metrics.importance_weighted_bound(context.vae, images, 1, context.config.seed)))
    parts = {
        "mutual information": split.mutual_information,
        "total correlation": split.total_correlation,
        "dimension-wise KL": split.dimension_wise_kl,
    }
    figure = error_bars(
        {name: (part.value, part.standard_error) for name, part in parts.items()},
        "The three parts of the KL",
        f"The mean KL of {split.images:,} test images is {split.kl:.1f} nats. Its three parts are estimated with the "
        f"aggregate posterior of these images. The bars show two standard errors. The estimate of the mutual "
        f"information cannot exceed ln {split.images:,} = {split.ceiling:.2f} nats. If the true value is larger, the "
        f"excess appears in the other two parts.",
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


def _with_error(part: Estimate) -> EstimateRecord:
    return {"value": part.value, "standard_error": part.standard_error}
