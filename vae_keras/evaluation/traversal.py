"""Latent traversal: one latent of a face changes, the others stay fixed."""

import numpy as np

from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.evaluation.information import carried_factors, known_about
from vae_keras.evaluation.record import Traversal
from vae_keras.latent import decode_latents, traverse
from vae_keras.metrics.discrete import LEAST_SHARE, information_shares
from vae_keras.plots import image_animation, image_figure, signed

VALUES = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
FRAMES = 21
MOST_LATENTS = 32
ONE_BLOCK = 8  # latents; a figure with more latents has two blocks side by side
LITTLE = 0.01  # nats; a latent with less information does not change the image visibly


def traversal(context: EvaluationContext) -> Evaluation:
    """Each latent of one test face moves from -3 to 3, the most informative latent first."""
    information = context.information
    nats, order = information.nats, information.order
    informative = [latent for latent in order if nats[latent] >= LITTLE]
    shown = np.array(informative or order[:1].tolist())[:MOST_LATENTS]
    place = context.random_test_images(1)[0]
    face = context.test_posterior.mean[place]
    still = decode_latents(context.vae, traverse(face, shown, np.array(VALUES)))
    (name,) = context.test_names([place])
    left_out = context.vae.latent_dim - len(shown)
    carried = factors_of_latents(context)
    caption = (
        f"Decoded posterior mean of test image {name}, with one latent replaced by a value from -3 to 3. The latents "
        f"are in decreasing order of their {information.name} on the test images"
        + (f"; {left_out} latents with less are left out." if left_out else ".")
        + (
            f" A latent is named after a factor or label if it carries at least {LEAST_SHARE:.0%} of the "
            f"factor's or label's entropy, on the train images."
            if any(carried[latent] for latent in shown)
            else ""
        )
    )
    labels = [f"z{latent}  {carried[latent]}  {nats[latent]:.2f} nats".replace("    ", "  ") for latent in shown]
    blocks = 1 if len(shown) <= ONE_BLOCK else 2
    figure = image_figure(
        still.reshape(-1, *context.vae.image_shape),
        blocks * len(VALUES),
        "Traversal of single latents",
        caption,
        column_labels=[signed(value) for value in VALUES] * blocks,
        image_labels=[text for label in labels for text in (label, *[""] * (len(VALUES) - 1))],
    )
    moving = decode_latents(context.vae, traverse(face, shown, np.linspace(VALUES[0], VALUES[-1], FRAMES)))
    animation = image_animation(
        moving.swapaxes(0, 1),
        min(8, max(4, len(shown))),
        "Traversal of single latents",
        caption,
        image_labels=labels,
    )
    numbers: Traversal = {"image": name, "latents": shown.tolist(), "carry": [carried[latent] for latent in shown]}
    return Evaluation({"traversal.png": figure, "traversal.gif": animation}, {"traversal": numbers})


def factors_of_latents(context: EvaluationContext) -> list[str]:
    """The factor or label with the largest share in each latent, on the train images; empty if the share is small."""
    known = known_about(context.data.dataset, context.data.split.train)
    return carried_factors(information_shares(context.train_posterior.mean, known.levels), known.names)
