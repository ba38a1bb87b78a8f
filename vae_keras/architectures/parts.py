"""What architectures share."""

from collections.abc import Iterator
from itertools import count

import keras

from common.errors import UserError


def seeded_initializers(seed: int) -> Iterator[keras.initializers.Initializer]:
    """Glorot uniform initialisers, each with a seed of its own, the same ones for the same seed."""
    return (keras.initializers.GlorotUniform(seed=1000 * seed + layer) for layer in count())


def check_image_shape(architecture: str, image_shape: tuple[int, int, int]) -> None:
    """Refuse pictures whose sides cannot be halved four times.

    Raises:
        UserError: a side is no multiple of 16, or below 32.
    """
    height, width, _ = image_shape
    if min(height, width) < 32 or height % 16 or width % 16:
        raise UserError(
            f"the {architecture} architecture cannot take {height} x {width} images; "
            "pass an --image-size that is a multiple of 16 from 32 up"
        )
