"""The assignment's split: 80 % train and 20 % test; the validation images are taken from train."""

from collections.abc import Hashable, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from common.errors import UserError

TEST_FRACTION = 0.2
FEWEST_IMAGES = 10


class Split(NamedTuple):
    """The indices of the images of each part, sorted, (n_part,) int. Every image is in exactly one part.

    Attributes:
        train: for fitting weights and directions.
        validation: for the `val_` curves and for the choice of the best epoch; may be empty.
        test: only `evaluate.py` reads these images. They do not depend on the validation fraction.
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
    """Split `count` images: one fifth is test, the fraction `validation` of all images is validation, the rest train.

    The images are put into a random order in which every class is spread evenly. The first images of this order are
    test, the next ones validation, the rest train. Each part therefore has the same share of each class, to within
    one image.

    Identical images form a group and stay in one part. A group has the class and the place of its first image. If a
    group does not fit into test or validation any more, it goes to a later part; test and validation are therefore
    never too large. If no images are identical, the digests change nothing.

    Args:
        count: the number of images.
        classes: (count,), the class of each image; None without classes.
        validation: the fraction of all images for validation.
        seed: of the random order.
        digests: (count,), equal for identical images; None if no two images are identical.

    Raises:
        UserError: there are too few images or too few different images, or no image is left to train on.
    """
    if count < FEWEST_IMAGES:
        raise UserError(f"{count} images are too few to split; pass at least {FEWEST_IMAGES}")
    n_test = round(TEST_FRACTION * count)
    n_validation = round(validation * count)
    if validation > 0 and n_validation == 0:
        raise UserError(
            f"--validation {validation:g} of {count} images is less than one; "
            f"pass --validation 0 or at least {1 / count:.2g}"
        )
    if n_test + n_validation >= count:
        raise UserError(
            f"--validation {validation:g} leaves no image to train on; pass less than {1 - TEST_FRACTION:g}"
        )

    members: dict[Hashable, list[int]] = {}
    for index, digest in enumerate(range(count) if digests is None else digests):
        members.setdefault(digest, []).append(index)
    groups = list(members.values())
    firsts = [group[0] for group in groups]
    order = _stratified_order(
        np.zeros(len(groups)) if classes is None else classes[firsts], np.random.default_rng(seed)
    )
    test, rest = _fill(n_test, [groups[place] for place in order])
    held_out, train = _fill(n_validation, rest)
    if not test or not train or (n_validation and not held_out):
        raise UserError(
            f"only {len(groups)} of {count} images are different, too few to split; add images that are different"
        )
    return Split(*(np.sort(list(chain.from_iterable(part))).astype(int) for part in (train, held_out, test)))


def _fill(room: int, groups: Sequence[list[int]]) -> tuple[list[list[int]], list[list[int]]]:
    """The groups that fit, in their order, into a part with room for this number of images; and the other groups."""
    taken, left = [], []
    for group in groups:
        if len(group) <= room:
            taken.append(group)
            room -= len(group)
        else:
            left.append(group)
    return taken, left


def _stratified_order(classes: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A random order in which every prefix has each class in proportion, (n,) int."""
    place = np.empty(len(classes))
    for name in np.unique(classes):
        members = random.permutation(np.flatnonzero(classes == name))
        # Member k of m lies at a random point of interval k of m equal intervals of [0, 1].
        place[members] = (np.arange(len(members)) + random.random(len(members))) / len(members)
    return np.argsort(place, kind="stable")
