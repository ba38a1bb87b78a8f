"""Metrics on the test images."""

import numpy as np

from vae_keras import metrics
from vae_keras.evaluation.attribute import aucs_of
from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.evaluation.record import Attribute, Record, Test
from vae_keras.evaluation.registry import TEST_METRICS
from vae_keras.run_data import known_attributes


def held_out(context: EvaluationContext) -> Evaluation:
    """The ELBO and its terms, PSNR and SSIM of reconstructions, and the number of active units; no figures.

    The AUC of every attribute and all metrics of `TEST_METRICS` belong to this evaluation, too.
    """
    bound = context.test_elbo
    test: Test = {
        "elbo": bound.elbo,
        "reconstruction_nll": bound.reconstruction_nll,
        "kl": bound.kl,
        "psnr": context.test_quality["psnr"],
        "ssim": context.test_quality["ssim"],
        "active_units": metrics.active_units(context.test_posterior.mean),
        "images": len(context.test_images),
    }
    if context.vae.likelihood.is_density:
        test["bits_per_dim"] = metrics.bits_per_dimension(bound.elbo, context.vae.image_shape)
    if variance := getattr(context.vae.likelihood, "variance", None):
        test["variance"] = variance
    record: Record = {"test": test}
    if attributes := {name: attribute_numbers(context, name) for name in known_attributes(context.data)}:
        record["attributes"] = attributes
    if additional := {name: float(metric(context)) for name, metric in TEST_METRICS.items()}:
        record["additional"] = additional
    return Evaluation({}, record)


def attribute_numbers(context: EvaluationContext, name: str) -> Attribute:
    """AUC of the attribute's directions, the most informative latent, and its share of the attribute's entropy."""
    label = context.data.dataset.label(name)[context.data.split.test]
    shares = metrics.information_shares(context.test_posterior.mean, label[:, None].astype(int))[:, 0]
    best = int(np.argmax(shares))
    return aucs_of(context, name) | {"best_latent": best, "share_in_best_latent": float(shares[best])}
