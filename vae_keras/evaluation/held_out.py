"""Numbers on the test images."""

from typing import Any

import numpy as np

from vae_keras import metrics
from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.evaluation.directions import direction_of, known_attributes
from vae_keras.evaluation.information import information_shares


def held_out(context: EvaluationContext) -> Evaluation:
    """ELBO and its terms, PSNR and SSIM of reconstructions from the posterior mean, active units; attributes."""
    bound = context.test_elbo
    numbers: dict[str, Any] = {
        **bound._asdict(),
        **context.test_quality,
        "active_units": metrics.active_units(context.test_posterior.mean),
        "images": len(context.test_images),
    }
    if context.vae.likelihood.is_density:
        numbers["bits_per_dim"] = metrics.bits_per_dimension(bound.elbo, context.vae.image_shape)
    if variance := getattr(context.vae.likelihood, "variance", None):
        numbers["variance"] = variance
    attributes = {name: attribute_numbers(context, name) for name in known_attributes(context.data)}
    return Evaluation({}, {"test": numbers} | ({"attributes": attributes} if attributes else {}))


def attribute_numbers(context: EvaluationContext, name: str) -> dict[str, Any]:
    """AUC of an attribute's direction, the latent that knows most of it, and what share of its entropy that is."""
    label = context.data.dataset.label(name)[context.data.split.test]
    shares = information_shares(context.test_posterior.mean, label[:, None].astype(int))[:, 0]
    best = int(np.argmax(shares))
    return {
        "auc": direction_of(context, name).auc,
        "best_latent": best,
        "share_in_best_latent": float(shares[best]),
    }
