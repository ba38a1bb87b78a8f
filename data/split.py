"""The assignment's 80/20 split, with a validation part taken from the 80."""

from collections.abc import Hashable, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from common.errors import UserError

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


def split_indices(
    count: int,
    classes: np.ndarray | None = None,
    validation: float = 0.1,
    seed: int = 0,
    digests: Sequence[Hashable] | None = None,
) -> Split:
    """Split `count` images: a fifth to test, the fraction `validation` of all to validation, the rest to train.

    All images are put in one order over which every class is spread evenly. Test is a piece of that order,
    validation the next piece and train the rest, so each part holds each class in proportion to within one image.

    Identical images stay together: a group of them has the class and the place of its first image. A group that is
    larger than the room left in test or validation is passed over there, so these two parts are never too large.
    Without identical images the split is the same as without digests.

    Args:
        count: the number of images.
        classes: (count,), the class of each image; None without classes.
        validation: the share of all images that goes to validation.
        seed: of the order.
        digests: (count,), equal for identical images; None where no two are identical.

    Raises:
        UserError: too few (different) images, or nothing left to train on.
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

    members: dict[Hashable, list[int]] = {}
    for index, digest in enumerate(range(count) if digests is None else digests):
        members.setdefault(digest, []).append(index)
    groups = list(members.values())
    firsts = [group[0] for group in groups]
    order = _stratified_order(
        np.zeros(len(groups)) if classes is None else classes[firsts], np.random.default_rng(seed)
    )
    test, rest = _filled(n_test, [groups[place] for place in order])
    held_out, train = _filled(n_validation, rest)
    if not test or not train or (n_validation and not held_out):
        raise UserError(
            f"of {count} images only {len(groups)} are different, which is too few to split; use more different images"
        )
    return Split(*(np.sort(list(chain.from_iterable(part))).astype(int) for part in (train, held_out, test)))


def _filled(room: int, groups: Sequence[list[int]]) -> tuple[list[list[int]], list[list[int]]]:
    """The groups, in their order, that fit into a part with room for so many images; and the groups left over."""
    taken, left = [], []
    for group in groups:
        if len(group) <= room:
            taken.append(group)
            room -= len(group)
        else:
            left.append(group)
    return taken, left


def _stratified_order(classes: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A random order whose every prefix holds each class in proportion, (n,) int."""
    place = np.empty(len(classes))
    for name in np.unique(classes):
        members = random.permutation(np.flatnonzero(classes == name))
        # Member k of m stands at a random point of the k-th of m equal intervals.
        place[members] = (np.arange(len(members)) + random.random(len(members))) / len(members)
    return np.argsort(place, kind="stable")
