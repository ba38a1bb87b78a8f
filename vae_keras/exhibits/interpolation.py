"""One face turning into another."""

import numpy as np

from vae_keras.exhibits.study import Exhibit, Study
from vae_keras.latent import PATHS, decode_latents
from vae_keras.plots import picture_figure

PAIRS, STEPS = 6, 8


def interpolation(study: Study, path: str = "spherical") -> Exhibit:
    """Pairs of test faces, and the faces on the path between their posterior means."""
    places = study.random_test_images(2 * PAIRS)
    pairs = places[: len(places) // 2 * 2].reshape(-1, 2)
    shares = np.linspace(0.0, 1.0, STEPS)
    means = study.test_posterior.mean
    rows, lengths = [], []
    for first, last in pairs:
        latents = PATHS[path](means[first], means[last], shares)
        ends = study.test_images[[first, last]] / 255.0
        rows.append(np.concatenate([ends[:1], decode_latents(study.vae, latents), ends[1:]]))
        lengths.append(float(np.linalg.norm(np.diff(latents, axis=0), axis=1).sum()))
    figure = picture_figure(
        np.concatenate(rows),
        STEPS + 2,
        f"Interpolation, {path}",
        f"Outermost: two test images. Between them the {path} path from one posterior mean to the other, in {STEPS} "
        f"equal steps, decoded. Mean length of the paths: {np.mean(lengths):.2f}.",
        column_labels=["test image", *(f"{share:.2f}" for share in shares), "test image"],
    )
    numbers = {"pairs": [study.test_names(pair) for pair in pairs], "path_lengths": lengths}
    return Exhibit({f"interpolation_{path}": figure}, {"interpolation": {path: numbers}})
