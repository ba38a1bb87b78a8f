"""The overview: one contact sheet with what the model can do, and faces that start to smile."""

import numpy as np

from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.evaluation.directions import default_attribute, direction_of
from vae_keras.latent import PATHS, decode_latents
from vae_keras.plots import contact_sheet, image_animation

COLUMNS = 10
SAMPLES, PAIRS, EDITED = 3 * COLUMNS, COLUMNS, 2
STRENGTHS = np.linspace(-1.0, 1.5, COLUMNS)
MOVING, ACROSS, FRAMES = 16, 8, 9


def overview(context: EvaluationContext) -> Evaluation:
    """Samples, reconstructions, an attribute edit and interpolations in one figure; an animation of the edit."""
    vae, means = context.vae, context.test_posterior.mean
    prior = context.fitted_prior or vae.prior
    invented = prior.sample(max(SAMPLES, MOVING), context.config.seed)
    places = context.random_test_images(PAIRS)
    originals, shown = context.test_pixels(places), means[places]
    strips = {
        "Faces that the model invents": decode_latents(vae, invented[:SAMPLES]),
        "Test faces, and their reconstructions": np.concatenate([originals, decode_latents(vae, shown)]),
    }
    columns = len(places)  # fewer than COLUMNS where there are few test images
    animations = {}
    if name := default_attribute(context.data):
        steps = np.outer(STRENGTHS, direction_of(context, name).vector)
        edited = decode_latents(vae, invented[:EDITED, None] + steps)
        strips[f"Less {name}, more {name}: multiples of one direction"] = _flat(edited)
        # (frames, MOVING, latents)
        path = np.linspace(STRENGTHS[0], STRENGTHS[-1], FRAMES)[:, None, None] * direction_of(context, name).vector
        animations[f"overview_{name}.gif"] = image_animation(
            decode_latents(vae, invented[:MOVING] + path),
            ACROSS,
            f"Less {name}, more {name}",
            "Invented faces. All move along the same direction in the space of latents.",
        )
    shares = np.linspace(0, 1, COLUMNS)
    path_of = PATHS["density" if context.fitted_prior else "spherical"]
    walks = [path_of(invented[2 * pair], invented[2 * pair + 1], shares, prior) for pair in range(EDITED)]
    strips["From one face to another"] = _flat(decode_latents(vae, np.stack(walks)))
    figure = contact_sheet(
        strips,
        [COLUMNS, columns, *[COLUMNS] * (len(strips) - 2)],
        "A variational autoencoder of faces",
        f"{vae.latent_dim} latents, images of {vae.image_shape[0]} x {vae.image_shape[1]} pixels. Invented faces are "
        f"decoded from samples of the {'fitted prior' if context.fitted_prior else 'prior'}.",
    )
    return Evaluation({"overview.png": figure, **animations}, {})


def _flat(rows: np.ndarray) -> np.ndarray:
    """(rows, columns, height, width, channels) -> (rows x columns, height, width, channels)."""
    return rows.reshape(-1, *rows.shape[2:])
