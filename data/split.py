"""The assignment's 80/20 split, with a validation part taken from the 80."""

from typing import NamedTuple

import numpy as np

from data.errors import UserError

TEST_FRACTION = 0.2
FEWEST_IMAGES = 10


class Split(NamedTuple):
    """Indices into a data set: disjoint, together exhaustive, each sorted, (n_part,) int.

    Attributes:
        train: what weights and directions are fitted on.
        validation: draws the `val_` curves and picks the best epoch; may be empty.
        test: opened by `evaluate.py` alone; does not depend on the validation fraction.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def split_indices(count: int, classes: np.ndarray | None = None, validation: float = 0.1, seed: int = 0) -> Split:
    """Split `count` images: a fifth to test, the fraction `validation` of all to validation, the rest to train.

    Every class is spread evenly over one order of all images, so that each part, a piece
    of that order, holds each class in proportion to within one image.

    Raises:
        UserError: too few images, or nothing left to train on.
    """
    if count < FEWEST_IMAGES:
        raise UserError(f"{count} images are too few to split; at least {FEWEST_IMAGES} are needed")
    n_test = round(TEST_FRACTION * count)
    n_validation = round(validation * count)
    if validation > 0 and n_validation == 0:
        raise UserError(
            f"--validation {validation:g} of {count} images is less than one; "
            f"pass --validation 0 or at least {1 / count:.2g}"
        )
    if n_test + n_validation >= count:
        raise UserError(f"--validation {validation:g} leaves nothing to train on; pass less than {1 - TEST_FRACTION:g}")

    order = _stratified_order(np.zeros(count) if classes is None else classes, np.random.default_rng(seed))
    test, held_out, train = np.split(order, [n_test, n_test + n_validation])
    return Split(np.sort(train), np.sort(held_out), np.sort(test))


def _stratified_order(classes: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A random order whose every prefix holds each class in proportion, (n,) int."""
    place = np.empty(len(classes))
    for name in np.unique(classes):
        members = random.permutation(np.flatnonzero(classes == name))
        # Member k of m stands at a random point of the k-th of m equal intervals.
        place[members] = (np.arange(len(members)) + random.random(len(members))) / len(members)
    return np.argsort(place, kind="stable")
