"""Numbers on the test images."""

from typing import Any

import numpy as np

from vae_keras import metrics
from vae_keras.exhibits.directions import direction_of, known_attributes
from vae_keras.exhibits.information import information_shares
from vae_keras.exhibits.study import Exhibit, Study


def held_out(study: Study) -> Exhibit:
    """ELBO and its terms, PSNR and SSIM of reconstructions from the posterior mean, active units; attributes."""
    bound = study.test_elbo
    numbers: dict[str, Any] = {
        **bound._asdict(),
        **study.test_quality,
        "active_units": metrics.active_units(study.test_posterior.mean),
        "images": len(study.test_images),
    }
    if study.vae.likelihood.is_density:
        numbers["bits_per_dim"] = metrics.bits_per_dimension(bound.elbo, study.vae.image_shape)
    if variance := getattr(study.vae.likelihood, "variance", None):
        numbers["variance"] = variance
    attributes = {name: attribute_numbers(study, name) for name in known_attributes(study.data)}
    return Exhibit({}, {"test": numbers} | ({"attributes": attributes} if attributes else {}))


def attribute_numbers(study: Study, name: str) -> dict[str, Any]:
    """AUC of an attribute's direction, the latent that knows most of it, and what share of its entropy that is."""
    label = study.data.dataset.label(name)[study.data.split.test]
    shares = information_shares(study.test_posterior.mean, label[:, None].astype(int))[:, 0]
    best = int(np.argmax(shares))
    return {
        "auc": direction_of(study, name).auc,
        "best_latent": best,
        "share_in_best_latent": float(shares[best]),
    }
