"""Images of the data set at random."""

from data.dataset import unit_pixels
from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.evaluation.record import Dataset
from vae_keras.plots import image_figure

IMAGES, COLUMNS = 32, 8


def dataset(context: EvaluationContext) -> Evaluation:
    """Images at random, and how many there are of each class in each part."""
    images, split = context.data.dataset, context.data.split
    places = context.random().permutation(len(images.images))[:IMAGES]
    parts = {part: len(indices) for part, indices in split._asdict().items()}
    caption = f"{len(places)} of {len(images.images):,} images at random; " + ", ".join(
        f"{count:,} {part}" for part, count in parts.items()
    )
    numbers: Dataset = {"parts": parts, "labels": {name: int(images.label(name).sum()) for name in images.label_names}}
    figure = image_figure(unit_pixels(images.images[places]), COLUMNS, "The data set", caption + ".")
    return Evaluation({"dataset.png": figure}, {"dataset": numbers})
