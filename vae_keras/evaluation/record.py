"""The numbers of an evaluation: the schema of `metrics.json`, by which it is written, read and checked.

A section is absent until it is evaluated. The type checker knows every key: who renames one finds all its uses.
"""

import json
from typing import Any, NotRequired, TypedDict, cast

import msgspec

from common.errors import UserError
from vae_keras.run_folder import Run

FORMAT = 2  # files without a number are of format 1, which has the same sections


class Test(TypedDict):
    """Means over the test images; terms in nats for each image."""

    elbo: float
    reconstruction_nll: float
    kl: float
    psnr: float
    ssim: float
    active_units: int
    images: int
    bits_per_dim: NotRequired[float]
    variance: NotRequired[float]


class Baseline(TypedDict):
    """The same of the best linear model; PCA has no likelihood and so no ELBO."""

    psnr: float
    ssim: float
    latents_in_use: int
    images: int
    train_images: int
    verdict: str
    elbo: NotRequired[float]
    reconstruction_nll: NotRequired[float]
    kl: NotRequired[float]
    bits_per_dim: NotRequired[float]
    variance: NotRequired[float]


class Attribute(TypedDict):
    """The direction of a label, and the latent that carries most of it."""

    auc: float
    best_latent: NotRequired[int]
    share_in_best_latent: NotRequired[float]
    length: NotRequired[float]
    images: NotRequired[list[str]]


class WithError(TypedDict):
    """A number and its standard error."""

    value: float
    standard_error: float


class KlSplit(TypedDict):
    """The parts of the KL, in nats."""

    mutual_information: WithError
    total_correlation: WithError
    dimension_wise_kl: WithError
    kl: float
    ceiling: float
    images: int


class ImportanceWeighted(TypedDict):
    """Two lower bounds of log p(x) on the same test images, in nats."""

    bound: float
    elbo: float
    samples: int
    images: int


class Latents(TypedDict):
    """For each latent its KL in nats, and the mean standard deviation of its posterior."""

    kl: list[float]
    mean_std: list[float]


class Disentanglement(TypedDict):
    """Scores by name, and the share of each factor's entropy that each latent carries, latents x factors."""

    images: int
    factors: list[str]
    scores: dict[str, WithError]
    information_shares: list[list[float]]


class Dataset(TypedDict):
    """How many images each part has, and each label."""

    parts: dict[str, int]
    labels: dict[str, int]


class Curves(TypedDict):
    """How many epochs the run has, and which is the best."""

    epochs: int
    best_epoch: int


class Reconstructions(TypedDict):
    """The names of the test images that the figure shows, and their mean quality."""

    images: list[str]
    psnr: float
    ssim: float


class Samples(TypedDict):
    """The standard deviation of the pixels of samples and of test images."""

    seed: int
    pixel_standard_deviation: dict[str, float]


class Interpolation(TypedDict):
    """The names of each pair of test images, and the length of the path between them in latent space."""

    pairs: list[list[str]]
    path_lengths: list[float]


class Traversal(TypedDict):
    """The test image that the figure starts from, the latents, and the factor that each carries."""

    image: str
    latents: list[int]
    carry: list[str]


class LatentMap(TypedDict):
    """The number of images on the map, and the share of the variance that two principal components have."""

    images: int
    pca_share_of_variance: float


class Distances(TypedDict):
    """Distances from the test images to another set of images, in a feature space."""

    frechet: float
    kernel: float
    kernel_error: float


# The number of images under "images", and the distances to each set of images under the name of the set.
SampleQuality = dict[str, int | Distances]


class Record(TypedDict, total=False):
    """All sections of `metrics.json`.

    Attributes:
        format: of the file.
        data, epoch: the images that the numbers are about, and the epoch of the model.
        additional: numbers on the test images that come from registered metrics, by name.
    """

    format: int
    data: str
    epoch: int | None
    test: Test
    linear_vae: Baseline
    pca: Baseline
    attributes: dict[str, Attribute]
    kl_split: KlSplit
    importance_weighted: ImportanceWeighted
    latents: Latents
    disentanglement: Disentanglement
    dataset: Dataset
    curves: Curves
    reconstructions: Reconstructions
    samples: Samples
    interpolation: dict[str, Interpolation]
    traversal: Traversal
    latent_map: LatentMap
    sample_quality: SampleQuality
    inception_quality: SampleQuality
    additional: dict[str, float]


def baselines(record: Record) -> dict[str, Baseline]:
    """The linear models that the record holds, by their names in tables."""
    found = {}
    if "linear_vae" in record:
        found["linear VAE"] = record["linear_vae"]
    if "pca" in record:
        found["PCA"] = record["pca"]
    return found


def read_record(run: Run) -> Record:
    """The numbers that metrics.json holds so far; an empty record where there is no file.

    Raises:
        UserError: the file is damaged, or was written by a later version.
    """
    if not run.metrics.exists():
        return {}
    try:
        numbers = json.loads(run.metrics.read_text(encoding="utf-8"))
        written = numbers.get("format", 1)
        if written not in range(1, FORMAT + 1):
            raise UserError(
                f"{run.metrics} has format {written}, this version reads formats 1 to {FORMAT}; remove it and evaluate "
                "again, or use the version that wrote it"
            )
        msgspec.convert(numbers, Record)
    except (ValueError, TypeError, AttributeError) as reason:
        raise UserError(f"{run.metrics} is damaged ({reason}); remove it and evaluate again") from reason
    return cast(Record, numbers)  # as it was read: sections that another program added are kept


def record_about(record: Record, data: str, epoch: int | None) -> Record:
    """The record if it is about these images and this epoch, otherwise an empty one about them."""
    if (record.get("data"), record.get("epoch")) == (data, epoch) and "data" in record:
        return {**record, "format": FORMAT}
    return {"format": FORMAT, "data": data, "epoch": epoch}


def merged(old: Record, new: Record) -> Record:
    """The old record with the new sections in their places, sections merged key by key."""
    return cast(Record, _merged(cast(dict, old), cast(dict, new)))


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    both = {key: _merged(old[key], new[key]) for key in old.keys() & new.keys() if isinstance(new[key], dict)}
    return {**old, **new, **both}
