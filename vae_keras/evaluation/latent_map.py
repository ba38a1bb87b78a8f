"""Maps of the latent space in two dimensions, by PCA and t-SNE."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from common.errors import UserError, nearest
from data.dataset import Dataset
from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.plots import scatter_maps

MOST_IMAGES = 2_000
PERPLEXITY = 30.0


def latent_map(context: EvaluationContext, name: str | None = None) -> Evaluation:
    """Posterior means of test images by PCA and by t-SNE (van der Maaten & Hinton 2008), coloured by a label or factor.

    Args:
        name: a label or a factor; None for the classes of the data. Data without classes has one colour.

    Raises:
        UserError: the data has no label or factor of that name.
    """
    places = context.random_test_images(MOST_IMAGES)
    means = context.test_posterior.mean[places]
    values = colours(context.data.dataset, name)
    if context.vae.latent_dim == 1:
        means = np.pad(means, ((0, 0), (0, 1)))  # a model with one latent: the map is a line
    pca = PCA(2, svd_solver="full").fit(means)
    perplexity = min(PERPLEXITY, (len(means) - 1) / 3)
    neighbours = TSNE(perplexity=perplexity, init="pca", random_state=context.config.seed).fit_transform(means)
    share = float(pca.explained_variance_ratio_.sum())
    what = name or "class"
    figure = scatter_maps(
        {
            f"PCA ({share:.0%} of the variance)": pca.transform(means),
            f"t-SNE (perplexity {perplexity:.0f})": neighbours,
        },
        None if values is None else values[context.data.split.test[places]],
        what,
        context.test_pixels(places),
        "Map of the latent space" + (f": {what}" if values is not None else ""),
        f"Posterior means of {len(means):,} test images in two dimensions. PCA keeps the two directions with the "
        "largest variance. t-SNE keeps neighbours together; its distances and the sizes of its clusters have no "
        "meaning. Right: the t-SNE map as images; each cell shows the image nearest to the centre of the cell.",
    )
    file = f"latent_map_{name}" if name else "latent_map"
    return Evaluation({f"{file}.png": figure}, {"latent_map": {"images": len(means), "pca_share_of_variance": share}})


def colours(dataset: Dataset, name: str | None) -> np.ndarray | None:
    """The values of a factor or a label, or the classes, one per image; None if no name is given and no class known."""
    if name is None:
        return dataset.classes
    if name in dataset.factor_names:
        return dataset.factors[:, dataset.factor_names.index(name)]
    if name in dataset.label_names:
        return dataset.label(name)
    known = [*dataset.factor_names, *dataset.label_names]
    if not known:
        raise UserError(f"--latent-map {name}: the data has no labels; leave {name} out")
    raise UserError(f"unknown label or factor {name}; {nearest(name, dict.fromkeys(known))}")
