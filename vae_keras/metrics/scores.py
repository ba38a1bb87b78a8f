"""All disentanglement scores by name, and their error over repeated draws.

A new score is a file of its own and a line in `SCORES`.

Two errors are easily confused. A score on one pool varies with the pool and with what it draws itself: that
is what `repeated` measures. How much it varies between trained models is another question, and usually the larger
error: there, draw from another model each time.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from vae_keras.metrics.beta_vae_score import beta_vae_score
from vae_keras.metrics.dci import dci
from vae_keras.metrics.explicitness import explicitness
from vae_keras.metrics.factor_vae_score import factor_vae_score
from vae_keras.metrics.gaussian_total_correlation import gaussian_total_correlation
from vae_keras.metrics.interventional_robustness import interventional_robustness
from vae_keras.metrics.modularity import modularity
from vae_keras.metrics.mutual_information_gap import mutual_information_gap
from vae_keras.metrics.sap import sap_score

FEWEST_REPEATS = 2


class ScoreFunction(Protocol):
    """A score of codes (n, D) and factors (n, K): a number, or a NamedTuple of numbers."""

    def __call__(self, codes: np.ndarray, factors: np.ndarray, *, seed: int = 0) -> Any: ...


class Score(NamedTuple):
    """Mean of a score over repeated draws, and the standard error of that mean."""

    mean: float
    standard_error: float
    repeats: int


def _drawing_nothing(score: Callable[[np.ndarray, np.ndarray], float]) -> ScoreFunction:
    """A score that needs no seed, as one that takes it."""
    return lambda codes, factors, *, seed=0: score(codes, factors)


SCORES: dict[str, ScoreFunction] = {
    "beta_vae_score": beta_vae_score,
    "factor_vae_score": factor_vae_score,
    "mutual_information_gap": _drawing_nothing(mutual_information_gap),
    "sap_score": sap_score,
    "dci": dci,
    "modularity": _drawing_nothing(modularity),
    "explicitness": explicitness,
    "interventional_robustness": _drawing_nothing(interventional_robustness),
    "gaussian_total_correlation": _drawing_nothing(lambda codes, factors: gaussian_total_correlation(codes)),
}


def all_scores(
    codes: np.ndarray, factors: np.ndarray, seed: int = 0, scores: Mapping[str, ScoreFunction] = SCORES
) -> dict[str, float]:
    """Every score by name; the fields of a NamedTuple each by name_field.

    Args:
        codes: (n, D) float; 15,000 rows give the study's 10,000 to train on.
        factors: (n, K) int.
        scores: those to compute.

    Raises:
        ValueError: input that one of them refuses.
    """
    values: dict[str, float] = {}
    for name, score in scores.items():
        value = score(codes, factors, seed=seed)
        if hasattr(value, "_asdict"):
            values |= {f"{name}_{field}": part for field, part in value._asdict().items()}
        else:
            values[name] = value
    return values


def repeated(
    draw: Callable[[int], tuple[np.ndarray, np.ndarray]],
    repeats: int,
    seed: int = 0,
    scores: Mapping[str, ScoreFunction] = SCORES,
) -> dict[str, Score]:
    """Every score over independent draws of codes and factors.

    Args:
        draw: codes and factors of repeat 0, 1, ...
        repeats: how many, at least two.
        seed: of the first repeat's own draws; each repeat has the next.
        scores: those to compute.

    Returns:
        By name: mean, standard deviation (ddof 1) / sqrt(repeats), and repeats. The error of an
        infinite score is not a number.

    Raises:
        ValueError: fewer than two repeats.
    """
    if repeats < FEWEST_REPEATS:
        raise ValueError(f"{repeats} repeat(s) have no error; at least {FEWEST_REPEATS} are needed")
    rows = [all_scores(*draw(repeat), seed=seed + repeat, scores=scores) for repeat in range(repeats)]
    summary = {}
    for name in rows[0]:
        values = np.array([row[name] for row in rows])
        with np.errstate(invalid="ignore"):
            error = np.std(values, ddof=1) / np.sqrt(repeats)
        summary[name] = Score(float(np.mean(values)), float(error), repeats)
    return summary
