"""What single latents stand for: one changes, the others stay."""

import numpy as np

from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.evaluation.information import LEAST_SHARE, carried_factors, information_shares, known_about
from vae_keras.evaluation.record import Traversal
from vae_keras.latent import decode_latents, traverse
from vae_keras.plots import image_animation, image_figure, signed

VALUES = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
FRAMES = 21
MOST_LATENTS = 32
ONE_BLOCK = 8  # latents; more stand in two blocks side by side
SILENT = 0.01  # nats; a latent that says less does not move the picture


def traversal(context: EvaluationContext) -> Evaluation:
    """Each latent of one test face on its way from -3 to 3, the latent with the largest KL first."""
    kl = context.kl_of_latents
    speaking = [latent for latent in context.informative_latents if kl[latent] >= SILENT]
    shown = np.array(speaking or context.informative_latents[:1].tolist())[:MOST_LATENTS]
    place = context.random_test_images(1)[0]
    face = context.test_posterior.mean[place]
    still = decode_latents(context.vae, traverse(face, shown, np.array(VALUES)))
    (name,) = context.test_names([place])
    left_out = context.vae.latent_dim - len(shown)
    carried = factors_of_latents(context)
    caption = (
        f"Posterior mean of test image {name}, with one latent replaced by a value from -3 to 3 prior standard "
        f"deviations, decoded. Latents row by row in the order of their KL on the test images"
        + (f"; {left_out} that say less are left out." if left_out else ".")
        + (
            f" Named by what they carry at least {LEAST_SHARE:.0%} of, on train images."
            if any(carried[latent] for latent in shown)
            else ""
        )
    )
    labels = [f"z{latent}  {carried[latent]}  {kl[latent]:.2f} nats".replace("    ", "  ") for latent in shown]
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
    """The factor or label that each latent carries most of on the train images; empty where that is little."""
    known = known_about(context.data.dataset, context.data.split.train)
    return carried_factors(information_shares(context.train_posterior.mean, known.levels), known.names)
