"""Disentanglement: scores, and a map of the information that each latent has about each factor."""

import logging
import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from data import factors
from data.rendered_faces import LevelledFaces
from vae_keras import metrics
from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.evaluation.information import LEVELS, known_about
from vae_keras.evaluation.record import Disentanglement, Record, record_about
from vae_keras.latent import encode_images
from vae_keras.plots import heat_map

log = logging.getLogger(__name__)

SCORES = metrics.SCORES
SLOW = ("dci",)  # takes minutes: its classifiers grow 20 trees a round for a factor of 20 levels
FACES = 10_000  # rendered for the scores; the model has not seen them
PIECES = 5  # of the images; the scores of the pieces give the standard error
FEWEST_IMAGES = 200  # with fewer images, counts in 20 bins are too noisy
NAMED = ("mutual_information_gap", "modularity")  # the scores in the caption of the figure


class Labelled(NamedTuple):
    """Posterior means of images whose factors are known.

    Attributes:
        codes: posterior means, (n, D).
        levels: (n, K) int.
        names: of the K factors.
    """

    codes: np.ndarray
    levels: np.ndarray
    names: tuple[str, ...]


def disentanglement(context: EvaluationContext, slow: bool = True) -> Evaluation:
    """The scores with their standard errors, and a heat map of the information in latents about factors.

    The evaluation is empty if `labelled_codes` returns None, or if a level of a factor is too rare.

    Args:
        slow: whether to compute the scores in `SLOW`, too.
    """
    chosen = {name: score for name, score in SCORES.items() if slow or name not in SLOW}
    labelled = labelled_codes(context)
    if labelled is None:
        return Evaluation({}, {})
    codes, levels, names = labelled
    try:
        scores = metrics.all_scores(codes, levels, context.config.seed, chosen)
        errors = errors_of_pieces(codes, levels, context.config.seed, chosen)
    except ValueError as reason:  # a level is so rare that a piece has no image with it
        log.warning("no disentanglement scores: %s", reason)
        return Evaluation({}, {})
    finite = [name for name, value in scores.items() if math.isfinite(value + errors[name])]
    return drawn(
        context,
        {
            "images": len(codes),
            "factors": list(names),
            "scores": {name: {"value": scores[name], "standard_error": errors[name]} for name in finite},
            "information_shares": metrics.information_shares(codes, levels).tolist(),
        },
    )


def known_or_scored(context: EvaluationContext, known: Record) -> Evaluation:
    """The disentanglement evaluation, with the scores of the record if they belong to this model and these images.

    If the record has none that fit, all but those in `SLOW` are computed.

    Args:
        known: the record in metrics.json; it may belong to another model or other images.
    """
    numbers = record_about(known, context.source, context.epoch, context.inputs)[0].get("disentanglement")
    return drawn(context, numbers) if numbers and _fits(context, numbers) else disentanglement(context, slow=False)


def drawn(context: EvaluationContext, numbers: Disentanglement) -> Evaluation:
    """The evaluation with these numbers and their heat map."""
    information, scores = context.information, numbers["scores"]
    order = information.order
    if context.of_rendered_faces:
        whence = f"{numbers['images']:,} newly rendered faces with {LEVELS} levels per factor"
    else:
        whence = (
            f"{numbers['images']:,} test images; factors with more than {LEVELS} values are cut into {LEVELS} levels "
            "with about equally many images"
        )
    figure = heat_map(
        np.array(numbers["information_shares"])[order].T,
        numbers["factors"],
        [f"z{latent}" for latent in order],
        "Which latent carries which factor",
        f"Mutual information between each latent and each factor, as a share of the factor's entropy. Computed from "
        f"posterior means in 20 bins, on {whence}. The latents are in decreasing order of their "
        f"{information.name}. Mutual information gap "
        f"{scores['mutual_information_gap']['value']:.3f}, modularity {scores['modularity']['value']:.3f}.",
        "share of the factor's entropy",
    )
    return Evaluation({"information.png": figure}, {"disentanglement": numbers})


def _fits(context: EvaluationContext, numbers: Disentanglement) -> bool:
    """Whether the numbers are complete, finite, and of a model with the same number of latents."""
    try:
        scores = [numbers["scores"][name][key] for name in NAMED for key in ("value", "standard_error")]
        shares = np.array(numbers["information_shares"], float)
        sizes = (context.vae.latent_dim, len(numbers["factors"]))
        return shares.shape == sizes and bool(np.isfinite([*scores, numbers["images"]]).all())
    except (KeyError, TypeError, ValueError):
        return False


def labelled_codes(context: EvaluationContext) -> Labelled | None:
    """Codes of newly rendered faces for a run on rendered faces, otherwise of the test images if factors are known.

    None if no factors are known, or if the scores are not defined; then the log says why.
    """
    size, channels = context.config.image_size, context.config.channels
    fresh, dataset = context.of_rendered_faces, context.data.dataset
    if not fresh and not dataset.factor_names:
        return None
    if context.vae.latent_dim < 2:
        log.warning("no disentanglement scores: they compare latents, and the model has only one")
        return None
    if fresh:
        images, levels = LevelledFaces(LEVELS, size, channels).draw(FACES, cache=context.cache)
        return Labelled(encode_images(context.vae, images).mean, levels, factors.NAMES)
    known = known_about(dataset, context.data.split.test)
    count = len(context.data.split.test)
    if count < FEWEST_IMAGES:
        log.warning("no disentanglement scores: there are %d test images, and the scores need %d", count, FEWEST_IMAGES)
        return None
    if len(known.names) < 2:
        log.warning(
            "no disentanglement scores: they compare factors or labels, and only %s differs between the test images",
            known.names[0] if known.names else "nothing",
        )
        return None
    return Labelled(context.test_posterior.mean, known.levels, known.names)


def errors_of_pieces(
    codes: np.ndarray, levels: np.ndarray, seed: int, scores: Mapping[str, metrics.ScoreFunction]
) -> dict[str, float]:
    """The standard error of every score: its standard deviation over disjoint pieces, divided by sqrt(pieces)."""
    pieces = np.array_split(np.random.default_rng(seed).permutation(len(codes)), PIECES)
    repeats = metrics.repeated(lambda piece: (codes[pieces[piece]], levels[pieces[piece]]), PIECES, seed, scores)
    return {name: score.standard_error for name, score in repeats.items()}
