"""Directions that add an attribute to a face, fitted to the posterior means of labelled images.

A direction of an attribute is a vector v: z + v is the code z with the attribute added once. There are four methods.

- means: the mean code of the images with the attribute, minus the mean of the others (the assignment's direction).
- logistic: the weights w of a logistic regression of the label on the code. The log-odds of the label rise fastest
  along w.
- orthogonal: the part of w that is orthogonal to the weights of all other labels. A step along it leaves the log-odds
  of the other labels as they are (conditional manipulation: Shen et al. 2020, arXiv 1907.10786, section 3.2).
- latent: one latent, if a single latent carries the label.

With u the direction of a method and D the difference of the class means, v = u (s' D) / (s' u): one step moves the
score s' z as far as the class means are apart. The score is the log-odds, or for a single latent the latent itself.

A run keeps its directions in `directions.npz`.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from common.errors import UserError
from common.files import atomic_write
from vae_keras.latent import attribute_direction
from vae_keras.metrics.discrete import LEAST_SHARE, information_shares
from vae_keras.run_folder import Run, open_run, saved_arrays

MOST_IMAGES = 20_000  # of a regression; the time grows with their number
INVERSE_PENALTY = 100.0  # C in LogisticRegression: so weak that it only keeps the weights of separable classes finite
LEAST_REST = 0.2  # of the weights' length; with less left over, the other labels span the direction

Vectors = dict[str, dict[str, np.ndarray | None]]


class Directions:
    """The directions of all attributes by all methods. Each is fitted when it is first asked for.

    Args:
        means: a function that gives the posterior means of the train images, (n, latents).
        labels: (n,) bool of each attribute, with both values.
        known: vectors that are fitted already, (latents,) by attribute and method; None where a method has none.
    """

    def __init__(
        self,
        means: Callable[[], np.ndarray],
        labels: Mapping[str, np.ndarray],
        known: Vectors | None = None,
    ):
        self._means, self.labels = means, labels
        self.vectors: Vectors = {name: dict(by_method) for name, by_method in (known or {}).items()}
        self._weights: dict[str, np.ndarray] = {}

    def vector(self, attribute: str, method: str) -> np.ndarray | None:
        """The direction of an attribute, (latents,); None if the method has none for this attribute."""
        fitted = self.vectors.setdefault(attribute, {})
        if method not in fitted:
            fitted[method] = METHODS[method](self, attribute)
        return fitted[method]

    def means(self) -> np.ndarray:
        """The posterior means of the train images, (n, latents)."""
        return np.asarray(self._means(), float)

    def weights(self, attribute: str) -> np.ndarray:
        """The weights of the logistic regression of an attribute's label on the code, (latents,)."""
        if attribute not in self._weights:
            means, label = self.means(), self.labels[attribute]
            chosen = np.random.default_rng(0).permutation(len(means))[:MOST_IMAGES]
            if len(set(label[chosen])) == 1:
                chosen = np.arange(len(means))
            # Latents are not divided by their standard deviation: those that the posterior ignores stay small.
            regression = LogisticRegression(C=INVERSE_PENALTY, max_iter=1_000)
            with threadpool_limits(1, user_api="blas"):  # the matrices are small; see `fit_prior`
                self._weights[attribute] = regression.fit(means[chosen], label[chosen]).coef_[0]
        return self._weights[attribute]


def means_direction(directions: Directions, attribute: str) -> np.ndarray:
    """The difference of the class means."""
    return attribute_direction(directions.means(), directions.labels[attribute])


def logistic_direction(directions: Directions, attribute: str) -> np.ndarray | None:
    """The weights of the logistic regression."""
    weights = directions.weights(attribute)
    return _one_step(weights, weights, means_direction(directions, attribute))


def orthogonal_direction(directions: Directions, attribute: str) -> np.ndarray | None:
    """The weights without their part in the span of the weights of all labels that group the images in another way."""
    labels = directions.labels
    own = grouping(labels[attribute])
    others = {key: name for name, label in labels.items() if (key := grouping(label)) != own}
    if not others:
        return None
    weights = directions.weights(attribute)
    spanned = np.stack([directions.weights(name) for name in others.values()], axis=1)
    # w - W (W' W)^+ W' w
    rest = weights - spanned @ np.linalg.lstsq(spanned, weights, rcond=None)[0]
    if np.linalg.norm(rest) < LEAST_REST * np.linalg.norm(weights):
        return None
    return _one_step(rest, weights, means_direction(directions, attribute))


def latent_direction(directions: Directions, attribute: str) -> np.ndarray | None:
    """The latent with the largest share of the label's entropy, if the share is large enough."""
    label, difference = directions.labels[attribute], means_direction(directions, attribute)
    shares = information_shares(directions.means(), label[:, None].astype(int))[:, 0]
    best = int(np.argmax(shares))
    return difference[best] * np.eye(len(shares))[best] if shares[best] >= LEAST_SHARE else None


METHODS: dict[str, Callable[[Directions, str], np.ndarray | None]] = {
    "means": means_direction,
    "logistic": logistic_direction,
    "orthogonal": orthogonal_direction,
    "latent": latent_direction,
}


def _one_step(along: np.ndarray, score: np.ndarray, difference: np.ndarray) -> np.ndarray | None:
    """The multiple of a vector that moves a linear score as far as the class means are apart; None if none does."""
    distance, slope = score @ difference, score @ along
    return along * (distance / slope) if distance > 0 and slope > 0 else None


def grouping(label: np.ndarray) -> bytes:
    """A key that is equal for two labels (n,) bool if and only if they group the images in the same way."""
    return (label ^ label[0]).tobytes()


class SavedDirections(NamedTuple):
    """The directions of a run.

    Attributes:
        vectors: (latents,) by attribute and method; None where a method has none.
        best: the method whose edit is the most selective, by attribute; an attribute that was not measured is absent.
    """

    vectors: Vectors
    best: dict[str, str]


def write_directions(run: Run, saved: SavedDirections, about: str) -> None:
    """Write directions.npz. It names the model and the images for which the directions were fitted.

    Args:
        about: a digest of the images, their labels and their split.
    """
    rows = [(name, method, vector) for name, found in saved.vectors.items() for method, vector in found.items()]
    latents = max((len(vector) for *_, vector in rows if vector is not None), default=0)
    with atomic_write(run.directions) as temporary:
        np.savez(
            temporary,
            model=np.array(run.model_digest()),
            about=np.array(about),
            attributes=_texts([name for name, *_ in rows]),
            methods=_texts([method for _, method, _ in rows]),
            # NaN: the method has no direction for this attribute
            vectors=np.array([np.full(latents, np.nan) if vector is None else vector for *_, vector in rows]),
            measured=_texts(list(saved.best)),
            best=_texts(list(saved.best.values())),
            allow_pickle=False,
        )


def read_directions(run: Run, about: str | None = None) -> SavedDirections | None:
    """The saved directions of the run; None if there are none, or if they are for an earlier model or other images.

    Args:
        about: the digest of the images; None accepts all.

    Raises:
        UserError: directions.npz is damaged.
    """
    if not run.directions.exists():
        return None
    with saved_arrays(run.directions) as saved:
        if str(saved["model"]) != run.model_digest() or about not in (None, str(saved["about"])):
            return None
        attributes, methods, measured, best = (
            [str(text) for text in saved[name]] for name in ("attributes", "methods", "measured", "best")
        )
        rows = np.asarray(saved["vectors"], float)
        vectors: Vectors = {}
        for attribute, method, row in zip(attributes, methods, rows, strict=True):
            if not np.isfinite(row).all() and not np.isnan(row).all():
                raise ValueError(f"a number of {attribute} is not finite")
            vectors.setdefault(attribute, {})[method] = None if np.isnan(row).all() else row
        chosen = dict(zip(measured, best, strict=True))
        if any(vectors.get(attribute, {}).get(method) is None for attribute, method in chosen.items()):
            raise ValueError("it lacks the vector of a method that it calls the best")
        return SavedDirections(vectors, chosen)


def saved_directions(run_dir: str | Path) -> dict[str, np.ndarray]:
    """The direction of each attribute whose edit was measured, by its most selective method, (latents,) by attribute.

    Raises:
        UserError: there is no such run, or `evaluate.py` has saved no directions for it.
    """
    run = open_run(Path(run_dir))
    saved = read_directions(run)
    if saved is None:
        raise UserError(f"no directions are saved for {run.folder}; run python evaluate.py --run {run.folder} --edits")
    return {name: vector for name in saved.best if (vector := saved.vectors[name][saved.best[name]]) is not None}


def _texts(texts: list[str]) -> np.ndarray:
    return np.array(texts, dtype=str)
