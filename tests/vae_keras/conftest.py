import numpy as np
import pytest

from vae_keras.types import Posterior


@pytest.fixture
def posterior():
    """A posterior for 64 images and 5 latents, some latents sharp and some wide."""
    random = np.random.default_rng(7)
    return Posterior(
        random.normal(size=(64, 5)).astype(np.float32), random.uniform(-6, 2, size=(64, 5)).astype(np.float32)
    )
