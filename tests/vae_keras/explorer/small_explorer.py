"""The explorer with a network that has seen few faces: python small_explorer.py CACHE evaluate.py's arguments."""

import sys
from functools import partial
from pathlib import Path

from vae_keras import feature_spaces


def small_factor_space(cache: Path):
    """A function that gives the feature space of a network that has seen few faces, from this cache."""
    feature_spaces.HELD_OUT = 50
    small = partial(original, count=64, epochs=1)
    return lambda channels, **_: small(channels, cache=cache)


original = feature_spaces.factor_space

if __name__ == "__main__":
    import evaluate
    from vae_keras.explorer import page

    page.ONE_MOVE = 60.0  # seconds, because a busy machine may pause between the moves of a test
    feature_spaces.factor_space = small_factor_space(Path(sys.argv[1]))
    sys.exit(evaluate.main(sys.argv[2:]))
