"""How far single latents stand for single factors: scores, and a map of who carries what."""

import logging
import math
from typing import NamedTuple

import numpy as np

from data import factors
from data.rendered_faces import LevelledFaces
from data.sources import RENDERED
from vae_keras import metrics
from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.evaluation.information import LEVELS, information_shares, known_about
from vae_keras.evaluation.record import Disentanglement, Record
from vae_keras.latent import encode_images
from vae_keras.plots import heat_map

log = logging.getLogger(__name__)

SCORES = metrics.SCORES
FACES = 10_000  # freshly rendered
PIECES = 5
FEWEST_IMAGES = 200  # below, counts in 20 bins say nothing
NAMED = ("mutual_information_gap", "modularity")  # scores that the caption gives


class Labelled(NamedTuple):
    """Codes of images with known factors.

    Attributes:
        codes: posterior means, (n, D).
        levels: (n, K) int.
        names: of the K factors.
    """

    codes: np.ndarray
    levels: np.ndarray
    names: tuple[str, ...]


def disentanglement(context: EvaluationContext) -> Evaluation:
    """All scores with their errors, and a heat map; nothing where `labelled_codes` has none, or a level is too rare."""
    labelled = labelled_codes(context)
    if labelled is None:
        return Evaluation({}, {})
    codes, levels, names = labelled
    try:
        scores = metrics.all_scores(codes, levels, context.config.seed, SCORES)
        errors = errors_of_pieces(codes, levels, context.config.seed)
    except ValueError as reason:  # a level too rare for every piece to hold it
        log.warning("no disentanglement scores: %s", reason)
        return Evaluation({}, {})
    finite = [name for name, value in scores.items() if math.isfinite(value + errors[name])]
    return drawn(
        context,
        {
            "images": len(codes),
            "factors": list(names),
            "scores": {name: {"value": scores[name], "standard_error": errors[name]} for name in finite},
            "information_shares": information_shares(codes, levels).tolist(),
        },
    )


def known_or_scored(context: EvaluationContext, known: Record) -> Evaluation:
    """The same, drawn from numbers that an earlier evaluation of the same model and images has left.

    Scoring takes minutes, so it is done only where there are none, or none that fit the model.

    Args:
        known: what metrics.json holds, of any model and images.
    """
    numbers = known.get("disentanglement")
    same = (known.get("data"), known.get("epoch")) == (context.source, context.epoch)
    return drawn(context, numbers) if numbers and same and _fits(context, numbers) else disentanglement(context)


def drawn(context: EvaluationContext, numbers: Disentanglement) -> Evaluation:
    """The heat map of numbers, and the numbers."""
    order, scores = context.informative_latents, numbers["scores"]
    if _on_fresh_faces(context):
        whence = f"{numbers['images']:,} freshly rendered faces, {LEVELS} levels a factor"
    else:
        whence = (
            f"{numbers['images']:,} test images, factors of more than {LEVELS} values cut into {LEVELS} levels of "
            "about as many images each"
        )
    figure = heat_map(
        np.array(numbers["information_shares"])[order].T,
        numbers["factors"],
        [f"z{latent}" for latent in order],
        "Which latent carries which factor",
        f"Share of each factor's entropy that each latent's posterior mean carries, in 20 bins, on {whence}. Latents "
        f"in the order of their KL on the test images. Mutual information gap "
        f"{scores['mutual_information_gap']['value']:.3f}, modularity {scores['modularity']['value']:.3f}.",
        "share of the factor's entropy",
    )
    return Evaluation({"information.png": figure}, {"disentanglement": numbers})


def _fits(context: EvaluationContext, numbers: Disentanglement) -> bool:
    """Whether these are whole numbers about a model with as many latents."""
    try:
        scores = [numbers["scores"][name][key] for name in NAMED for key in ("value", "standard_error")]
        shares = np.array(numbers["information_shares"], float)
        sizes = (context.vae.latent_dim, len(numbers["factors"]))
        return shares.shape == sizes and bool(np.isfinite([*scores, numbers["images"]]).all())
    except (KeyError, TypeError, ValueError):
        return False


def labelled_codes(context: EvaluationContext) -> Labelled | None:
    """Codes of fresh faces for a run on rendered ones; of test images where a table gives factors; else None.

    A line says why there are none though factors are known.
    """
    size, channels = context.config.image_size, context.config.channels
    fresh, dataset = _on_fresh_faces(context), context.data.dataset
    if not fresh and not dataset.factor_names:
        return None
    if context.vae.latent_dim < 2:
        log.warning("no disentanglement scores: they compare latents, and the model has only one")
        return None
    if fresh:
        images, levels = LevelledFaces(LEVELS, size, channels).draw(FACES)
        return Labelled(encode_images(context.vae, images).mean, levels, factors.NAMES)
    known = known_about(dataset, context.data.split.test)
    count = len(context.data.split.test)
    if count < FEWEST_IMAGES:
        log.warning("no disentanglement scores: %d test images are too few, %d are needed", count, FEWEST_IMAGES)
        return None
    if len(known.names) < 2:
        log.warning(
            "no disentanglement scores: they compare factors or labels, and only %s differs between the test images",
            known.names[0] if known.names else "nothing",
        )
        return None
    return Labelled(context.test_posterior.mean, known.levels, known.names)


def _on_fresh_faces(context: EvaluationContext) -> bool:
    return context.source.partition(":")[0] == RENDERED


def errors_of_pieces(codes: np.ndarray, levels: np.ndarray, seed: int) -> dict[str, float]:
    """The standard error of every score: how much it differs between disjoint pieces, over the root of their number."""
    pieces = np.array_split(np.random.default_rng(seed).permutation(len(codes)), PIECES)
    repeats = metrics.repeated(lambda piece: (codes[pieces[piece]], levels[pieces[piece]]), PIECES, seed, SCORES)
    return {name: score.standard_error for name, score in repeats.items()}
