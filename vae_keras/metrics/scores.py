"""All disentanglement scores by name, and their standard errors over repeated draws.

A new score is one file and one line in `SCORES`.

Do not confuse two kinds of variation. For one model, a score varies with the pool and with the random numbers that the
score draws: `repeated` measures this variation. A score also varies between trained models, usually more. To measure
that, draw the codes of a different model in each repeat.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from common.estimates import Estimate
from common.progress import tracked
from vae_keras.metrics.beta_vae_metric import beta_vae_score
from vae_keras.metrics.dci_scores import dci
from vae_keras.metrics.explicitness_score import explicitness
from vae_keras.metrics.factor_vae_metric import factor_vae_score
from vae_keras.metrics.interventional_robustness_score import interventional_robustness
from vae_keras.metrics.mig import mutual_information_gap
from vae_keras.metrics.modularity_score import modularity
from vae_keras.metrics.sap import sap_score
from vae_keras.metrics.total_correlation_score import gaussian_total_correlation

FEWEST_REPEATS = 2


class ScoreFunction(Protocol):
    """A function that scores codes (n, D) and factors (n, K). It returns a number or a NamedTuple of numbers."""

    def __call__(self, codes: np.ndarray, factors: np.ndarray, *, seed: int = 0) -> Any: ...


def _without_seed(score: Callable[[np.ndarray, np.ndarray], float]) -> ScoreFunction:
    """A score that draws no random numbers, wrapped so that it accepts a seed and ignores it."""
    return lambda codes, factors, *, seed=0: score(codes, factors)


SCORES: dict[str, ScoreFunction] = {
    "beta_vae_score": beta_vae_score,
    "factor_vae_score": factor_vae_score,
    "mutual_information_gap": _without_seed(mutual_information_gap),
    "sap_score": sap_score,
    "dci": dci,
    "modularity": _without_seed(modularity),
    "explicitness": explicitness,
    "interventional_robustness": _without_seed(interventional_robustness),
    "gaussian_total_correlation": _without_seed(lambda codes, factors: gaussian_total_correlation(codes)),
}


def all_scores(
    codes: np.ndarray, factors: np.ndarray, seed: int = 0, scores: Mapping[str, ScoreFunction] = SCORES
) -> dict[str, float]:
    """The value of each score by its name. Each field of a NamedTuple has the name "score_field".

    Args:
        codes: (n, D) float. With 15,000 rows there are 10,000 to train on, as in the study.
        factors: (n, K) int.
        seed: of the random numbers that the scores draw.
        scores: the scores to compute.

    Raises:
        ValueError: a score refuses the input.
    """
    values: dict[str, float] = {}
    for name, score in tracked(scores.items(), "disentanglement scores", len(scores)):
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
) -> dict[str, Estimate]:
    """The mean and standard error of each score over independent draws of codes and factors.

    Args:
        draw: called with 0, 1, ...; returns the codes and factors of this repeat.
        repeats: number of repeats, at least two.
        seed: of the random numbers that the scores draw in the first repeat. Each later repeat adds one to it.
        scores: the scores to compute.

    Returns:
        By name: the mean over the repeats, and its standard error (standard deviation with ddof 1, over
        sqrt(repeats)). The standard error of an infinite score is NaN.

    Raises:
        ValueError: there are fewer than two repeats.
    """
    if repeats < FEWEST_REPEATS:
        raise ValueError(f"{repeats} repeat(s) give no standard error; at least {FEWEST_REPEATS} are needed")
    rows = [all_scores(*draw(repeat), seed=seed + repeat, scores=scores) for repeat in range(repeats)]
    summary = {}
    for name in rows[0]:
        values = np.array([row[name] for row in rows])
        with np.errstate(invalid="ignore"):
            error = np.std(values, ddof=1) / np.sqrt(repeats)
        summary[name] = Estimate(float(np.mean(values)), float(error))
    return summary
