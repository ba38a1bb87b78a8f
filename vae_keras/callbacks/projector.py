"""Files for TensorBoard's projector: latents to turn about in three dimensions, with their pictures and labels."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from google.protobuf import text_format
from PIL import Image
from tensorboard.plugins import projector

from common.files import atomic_write, write_text
from data.dataset import Dataset, unit_pixels
from vae_keras.plots import image_grid

MOST_IMAGES = 1_000
LARGEST_SPRITE = 48  # pixels a side, so that the sheet of all stays below the 8,192 that browsers can show


def write_latents(folder: Path, means: np.ndarray) -> None:
    """Latents for the projector, as they are now; the rest stays as `write_projected_images` wrote it.

    Args:
        folder: of one run's event files.
        means: posterior means, (n, latents).
    """
    write_text(folder / "latents.tsv", _rows([f"{value:.5g}" for value in mean] for mean in means[:MOST_IMAGES]))


def write_projected_images(folder: Path, dataset: Dataset, indices: np.ndarray) -> None:
    """What is known of the images whose latents are shown, their pictures, and the projector's settings.

    Args:
        folder: of one run's event files.
        indices: of the images in the data set, (n,).
    """
    indices = indices[:MOST_IMAGES]
    side = min(LARGEST_SPRITE, dataset.images.shape[1])
    with atomic_write(folder / "sprites.png") as temporary:
        sprite_sheet(dataset.images[indices], side).save(temporary)
    write_text(folder / "metadata.tsv", _rows(metadata(dataset, indices)))
    config = projector.ProjectorConfig()
    embedding = config.embeddings.add(tensor_name="latents", tensor_path="latents.tsv", metadata_path="metadata.tsv")
    embedding.sprite.image_path = "sprites.png"
    embedding.sprite.single_image_dim.extend([side, side])
    # As visualize_embeddings does, but in a folder of any name.
    write_text(folder / projector.metadata.PROJECTOR_FILENAME, text_format.MessageToString(config))


def sprite_sheet(images: np.ndarray, side: int) -> Image.Image:
    """Images (n, height, width, channels) uint8 at side x side, row by row without gaps."""
    columns = math.ceil(math.sqrt(len(images)))
    small = np.ones((columns**2, side, side, images.shape[-1]), np.float32)  # the projector wants a full square
    small[: len(images)] = tf.image.resize(unit_pixels(images), (side, side), antialias=True)
    return Image.fromarray(np.rint(255 * image_grid(small, columns, gap=0).clip(0, 1)).astype(np.uint8).squeeze())


def metadata(dataset: Dataset, indices: np.ndarray) -> list[Sequence[str]]:
    """A header and a row for each image: its name, class, factors, and the labels that are not made from a factor."""
    # A table of one column has no header in the projector's format, so there are always two.
    classes = [""] * len(indices) if dataset.classes is None else dataset.classes[indices].astype(str).tolist()
    header, columns = ["name", "class"], [[dataset.names[index] for index in indices], classes]
    for name, values in zip(dataset.factor_names, dataset.factors[indices].T, strict=True):
        header.append(name)
        columns.append([f"{value:.4g}" for value in values])
    for name in dataset.label_names:
        if name not in dataset.factor_names:
            header.append(name)
            columns.append(["yes" if has else "no" for has in dataset.label(name)[indices]])
    return [header, *zip(*columns, strict=True)]


def _rows(rows: Iterable[Sequence[str]]) -> str:
    """Lines of cells; what would end a cell or a line in one becomes a space."""
    return "".join("\t".join(" ".join(cell.split()) for cell in row) + "\n" for row in rows)
