"""Control of one attribute: faces that learn to smile."""

import numpy as np
from sklearn.metrics import roc_auc_score

from data.errors import UserError, nearest
from vae_keras.exhibits.study import Exhibit, Study
from vae_keras.latent import attribute_direction, decode_latents
from vae_keras.plots import picture_figure
from vae_keras.run_data import RunData

FACES = 6
STRENGTHS = (-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0)


def has_both_sides(data: RunData, name: str) -> bool:
    """Whether train and test hold images with the attribute and without."""
    label = data.dataset.label(name)
    return all(0 < label[part].sum() < len(part) for part in (data.split.train, data.split.test))


def default_attribute(data: RunData) -> str | None:
    """The attribute to show when none is named: the smile, or the first that can be shown, if any."""
    shown = [name for name in data.dataset.label_names if has_both_sides(data, name)]
    return "smile" if "smile" in shown else next(iter(shown), None)


def attribute(study: Study, name: str) -> Exhibit:
    """The direction between class means, fitted on train, added to test faces without the attribute.

    Raises:
        UserError: the data has no such label, or train or test has only one side of it.
    """
    dataset, split = study.data.dataset, study.data.split
    if not dataset.label_names:
        raise UserError("--attribute needs labels: put the images into one sub-folder for each class")
    if name not in dataset.label_names:
        raise UserError(f"unknown attribute {name}; {nearest(name, dataset.label_names)}")
    if not has_both_sides(study.data, name):
        raise UserError(f"the images of train or test are all alike in {name}; use more images")

    label = dataset.label(name)
    direction = attribute_direction(study.train_posterior.mean, label[split.train])
    means, has = study.test_posterior.mean, label[split.test]
    auc = float(roc_auc_score(has, means @ direction))
    places = [place for place in study.random_test_images(len(has)) if not has[place]][:FACES]
    rows = []
    for place in places:
        edited = means[place] + np.outer(STRENGTHS, direction)
        rows.append(np.concatenate([study.test_images[place][None] / 255.0, decode_latents(study.vae, edited)]))
    figure = picture_figure(
        np.concatenate(rows),
        1 + len(STRENGTHS),
        f"Attribute: {name}",
        f"Left: test images without the attribute. Then their posterior means plus multiples of the direction "
        f"(mean latent of train images with it, less without it, length {np.linalg.norm(direction):.2f}), decoded. "
        f"Projection on the direction separates the test classes with AUC {auc:.3f}.",
        column_labels=["test image", *(f"{strength:+g}" for strength in STRENGTHS)],
    )
    numbers = {"auc": auc, "length": float(np.linalg.norm(direction)), "images": study.test_names(places)}
    return Exhibit({f"attribute_{name}": figure}, {"attributes": {name: numbers}})
