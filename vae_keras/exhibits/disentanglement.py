"""How far single latents stand for single factors: scores, and a map of who carries what."""

from typing import NamedTuple

import numpy as np

from data import factors
from data.rendered_faces import LevelledFaces
from data.sources import RENDERED
from vae_keras import metrics
from vae_keras.exhibits.information import LEVELS, information_shares, known_about
from vae_keras.exhibits.study import Exhibit, Study
from vae_keras.latent import encode_images
from vae_keras.plots import heat_map

SCORES = metrics.SCORES
FACES = 10_000  # freshly rendered
PIECES = 5
FEWEST_IMAGES = 200  # below, counts in 20 bins say nothing


class Labelled(NamedTuple):
    """Codes of images with known factors.

    Attributes:
        codes: posterior means, (n, D).
        levels: (n, K) int.
        names: of the K factors.
        whence: what images they are, for a caption.
    """

    codes: np.ndarray
    levels: np.ndarray
    names: tuple[str, ...]
    whence: str


def disentanglement(study: Study) -> Exhibit:
    """All scores with their errors, and a heat map; nothing where no factors are known."""
    labelled = labelled_codes(study)
    if labelled is None:
        return Exhibit({}, {})
    codes, levels, names, whence = labelled
    scores = metrics.all_scores(codes, levels, study.config.seed, SCORES)
    errors = errors_of_pieces(codes, levels, study.config.seed)
    shares = information_shares(codes, levels)
    order = study.informative_latents
    figure = heat_map(
        shares[order].T,
        names,
        [f"z{latent}" for latent in order],
        "Which latent carries which factor",
        f"Share of each factor's entropy that each latent's posterior mean carries, in 20 bins, on {whence}. Latents "
        f"in the order of their KL on the test images. Mutual information gap {scores['mutual_information_gap']:.3f}, "
        f"modularity {scores['modularity']:.3f}.",
        "share of the factor's entropy",
    )
    numbers = {
        "images": len(codes),
        "factors": list(names),
        "scores": {name: {"value": value, "standard_error": errors[name]} for name, value in scores.items()},
        "information_shares": shares.tolist(),
    }
    return Exhibit({"information.png": figure}, {"disentanglement": numbers})


def labelled_codes(study: Study) -> Labelled | None:
    """Codes of fresh faces for a run on rendered ones; of test images where a table gives factors; else None."""
    size, channels = study.config.image_size, study.config.channels
    if study.source.partition(":")[0] == RENDERED:
        images, levels = LevelledFaces(LEVELS, size, channels).draw(FACES)
        whence = f"{len(images):,} freshly rendered faces, {LEVELS} levels a factor"
        return Labelled(encode_images(study.vae, images).mean, levels, factors.NAMES, whence)
    known = known_about(study.data.dataset, study.data.split.test)
    if not study.data.dataset.factor_names or len(known.levels) < FEWEST_IMAGES or len(known.names) < 2:
        return None
    whence = f"{len(known.levels):,} test images, factors in at most {LEVELS} levels"
    return Labelled(study.test_posterior.mean, known.levels, known.names, whence)


def errors_of_pieces(codes: np.ndarray, levels: np.ndarray, seed: int) -> dict[str, float]:
    """The standard error of every score: how much it differs between disjoint pieces, over the root of their number."""
    pieces = np.array_split(np.random.default_rng(seed).permutation(len(codes)), PIECES)
    repeats = metrics.repeated(lambda piece: (codes[pieces[piece]], levels[pieces[piece]]), PIECES, seed, SCORES)
    return {name: score.standard_error for name, score in repeats.items()}
