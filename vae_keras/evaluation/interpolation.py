"""Interpolation between pairs of test faces in latent space."""

import numpy as np

from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.evaluation.record import Interpolation
from vae_keras.latent import PATHS, decode_latents
from vae_keras.plots import image_animation, image_figure

PAIRS, STEPS, FRAMES = 6, 8, 24
PAIRS_A_ROW = 2


def interpolation(context: EvaluationContext, path: str = "spherical") -> Evaluation:
    """Pairs of test faces and the decoded path between their posterior means, as a figure and as an animation."""
    places = context.random_test_images(2 * PAIRS)
    pairs = places[: len(places) // 2 * 2].reshape(-1, 2)
    means = context.test_posterior.mean
    prior = context.fitted_prior or context.vae.prior

    def walked(steps: int) -> np.ndarray:
        """The path of every pair, (pairs, steps, latents)."""
        shares = np.linspace(0.0, 1.0, steps)
        return np.stack([PATHS[path](means[first], means[last], shares, prior) for first, last in pairs])

    rows, moving = walked(STEPS), walked(FRAMES)
    lengths = np.linalg.norm(np.diff(rows, axis=1), axis=2).sum(axis=1)
    ends = context.test_pixels(pairs.ravel()).reshape(-1, 2, *context.vae.image_shape)
    still = np.concatenate([ends[:, :1], decode_latents(context.vae, rows), ends[:, 1:]], axis=1)
    figure = image_figure(
        still.reshape(-1, *context.vae.image_shape),
        STEPS + 2,
        f"Interpolation, {path}",
        f"Each row shows two test images, at its left and right end. Between them are {STEPS} decoded points of the "
        f"{path} path from one posterior mean to the other, at equal distances. The mean length of the paths is "
        f"{lengths.mean():.2f}.",
        column_labels=["test image", *(f"{share:.2f}" for share in np.linspace(0.0, 1.0, STEPS)), "test image"],
    )
    # (pairs, frames, ...) -> (frames, pairs, 3, ...): the moving image has the two test images on its sides.
    middle = decode_latents(context.vae, moving).swapaxes(0, 1)[:, :, None]
    first, last = (np.broadcast_to(ends[:, end][None, :, None], middle.shape) for end in (0, 1))
    animation = image_animation(
        np.concatenate([first, middle, last], axis=2).reshape(FRAMES, -1, *context.vae.image_shape),
        3 * PAIRS_A_ROW,
        f"Interpolation, {path}",
        f"Pairs of test images. Between them: decoded points of the {path} path from one posterior mean to the other.",
        column_labels=["test image", "", "test image"] * PAIRS_A_ROW,
    )
    numbers: Interpolation = {"pairs": [context.test_names(pair) for pair in pairs], "path_lengths": lengths.tolist()}
    name = f"interpolation_{path}"
    return Evaluation({f"{name}.png": figure, f"{name}.gif": animation}, {"interpolation": {path: numbers}})
