"""Random images of the data set."""

from data.images import unit_pixels
from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.evaluation.record import Dataset
from vae_keras.plots import image_figure

IMAGES, COLUMNS = 32, 8


def dataset(context: EvaluationContext) -> Evaluation:
    """A figure of random images; the number of images in each part of the split, and with each label."""
    images, split = context.data.dataset, context.data.split
    places = context.random().permutation(images.images.count)[:IMAGES]
    parts = {part: len(indices) for part, indices in split._asdict().items()}
    caption = f"{len(places)} of {images.images.count:,} images, drawn at random. Split: " + ", ".join(
        f"{count:,} {part}" for part, count in parts.items()
    )
    numbers: Dataset = {"parts": parts, "labels": {name: int(images.label(name).sum()) for name in images.label_names}}
    figure = image_figure(unit_pixels(images.images.batch(places)), COLUMNS, "The data set", caption + ".")
    return Evaluation({"dataset.png": figure}, {"dataset": numbers})
