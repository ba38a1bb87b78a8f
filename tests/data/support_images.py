"""Writes small image files for tests."""

import numpy as np
from PIL import Image

SIZE = 32
LEFT_RED = np.zeros((SIZE, SIZE, 3), np.uint8)
LEFT_RED[:, : SIZE // 2] = (200, 30, 30)
LEFT_RED[:, SIZE // 2 :] = (30, 30, 200)


def save(path, array=LEFT_RED, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)
    return path
