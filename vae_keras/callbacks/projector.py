"""Files for TensorBoard's projector, which shows latents in three dimensions, with their images and labels."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from google.protobuf import text_format
from PIL import Image
from tensorboard.plugins import projector

from common.files import atomic_write, write_text
from data.dataset import Dataset
from data.images import unit_pixels
from vae_keras.plots import image_grid

MOST_IMAGES = 1_000
LARGEST_SPRITE = 48  # pixels on each side, so that a sheet of all images stays below a browser's limit of 8,192 pixels


def write_latents(folder: Path, means: np.ndarray) -> None:
    """Write the latents for the projector. `write_projected_images` writes all other files.

    Args:
        folder: the folder with the event files of one part of the images.
        means: posterior means, (n, latents). The first 1,000 are written.
    """
    write_text(folder / "latents.tsv", _rows([f"{value:.5g}" for value in mean] for mean in means[:MOST_IMAGES]))


def write_projected_images(folder: Path, dataset: Dataset, indices: np.ndarray) -> None:
    """Write the images of the projector, a table of their labels, and the projector's settings.

    Args:
        folder: the folder with the event files of one part of the images.
        indices: of the images in the data set, (n,). The first 1,000 are written.
    """
    indices = indices[:MOST_IMAGES]
    side = min(LARGEST_SPRITE, dataset.images.image_shape[0])
    with atomic_write(folder / "sprites.png") as temporary:
        sprite_sheet(dataset.images.batch(indices), side).save(temporary)
    write_text(folder / "metadata.tsv", _rows(metadata(dataset, indices)))
    config = projector.ProjectorConfig()
    embedding = config.embeddings.add(tensor_name="latents", tensor_path="latents.tsv", metadata_path="metadata.tsv")
    embedding.sprite.image_path = "sprites.png"
    embedding.sprite.single_image_dim.extend([side, side])
    # TensorBoard's visualize_embeddings writes the same file, but only into a folder whose name is UTF-8.
    write_text(folder / projector.metadata.PROJECTOR_FILENAME, text_format.MessageToString(config))


def sprite_sheet(images: np.ndarray, side: int) -> Image.Image:
    """One image that shows all images row by row without gaps, each resized to side x side.

    Args:
        images: (n, height, width, channels) uint8.
        side: in pixels.
    """
    columns = math.ceil(math.sqrt(len(images)))
    small = np.ones((columns**2, side, side, images.shape[-1]), np.float32)  # the projector needs a square
    small[: len(images)] = tf.image.resize(unit_pixels(images), (side, side), antialias=True)
    return Image.fromarray(np.rint(255 * image_grid(small, columns, gap=0).clip(0, 1)).astype(np.uint8).squeeze())


def metadata(dataset: Dataset, indices: np.ndarray) -> list[Sequence[str]]:
    """A header and one row for each image: name, class, factors, and the labels that are not made from a factor."""
    # In the projector's format, a table with a single column has no header. So there are always at least two columns.
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
    """The rows as text with tabs between cells. A tab or line break inside a cell becomes a space."""
    return "".join("\t".join(" ".join(cell.split()) for cell in row) + "\n" for row in rows)
