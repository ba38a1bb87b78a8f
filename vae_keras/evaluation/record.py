"""The schema of `metrics.json`: the sections of the file, their keys and their types.

`evaluate.py` writes, reads and checks the file by this schema. A section is absent until an evaluation computes it.
The type checker knows every key, so it reports each use of a key that was renamed. A new section is a class here and a
field of `Record`.

The sections at the top belong together: they are about one model and one set of images. Records about other images are
under "others". Each record has digests of its inputs (`vae_keras.evaluation.inputs`), which show the sections that are
stale.
"""

import math
from typing import Any, NotRequired, TypedDict, cast

import msgspec

from common.errors import UserError
from common.files import check_format, read_json
from vae_keras.run_folder import Run

FORMAT = 3  # before format 3, a record had no digests of its inputs; a file without a number has format 1


class Test(TypedDict):
    """Means over the test images. ELBO, reconstruction and KL are in nats per image, PSNR is in dB."""

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
    """The same means for the best linear model. PCA has no likelihood, so it has no ELBO."""

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
    """The direction of a label in latent space, and the latent with the largest share of the label's entropy.

    Attributes:
        auc: of the projection on the difference of the class means.
        auc_logistic: of the projection on the weights of a logistic regression.
        direction: the method of the direction in the figures.
        length: of this direction.
    """

    auc: float
    auc_logistic: NotRequired[float]
    direction: NotRequired[str]
    best_latent: NotRequired[int]
    share_in_best_latent: NotRequired[float]
    length: NotRequired[float]
    images: NotRequired[list[str]]


class EstimateRecord(TypedDict):
    """`common.estimates.Estimate` in the file."""

    value: float
    standard_error: float


class KlSplit(TypedDict):
    """The three parts of the KL, their sum, and the largest possible mutual information, ln(images); all in nats."""

    mutual_information: EstimateRecord
    total_correlation: EstimateRecord
    dimension_wise_kl: EstimateRecord
    kl: float
    ceiling: float
    images: int


class ImportanceWeighted(TypedDict):
    """The importance-weighted bound and the ELBO on the same test images, in nats per image."""

    bound: float
    elbo: float
    samples: int
    images: int


class Latents(TypedDict):
    """The KL or a bound of the information of each latent, in nats; the mean standard deviation of its posterior."""

    kl: NotRequired[list[float]]
    information: NotRequired[list[float]]
    mean_std: list[float]


class Disentanglement(TypedDict):
    """Scores by name, and I(z_j; v_k) / H(v_k) for each latent z_j and factor v_k, latents x factors."""

    images: int
    factors: list[str]
    scores: dict[str, EstimateRecord]
    information_shares: list[list[float]]


class Dataset(TypedDict):
    """The number of images in each part of the split, and the number with each label."""

    parts: dict[str, int]
    labels: dict[str, int]


class FactorFidelity(TypedDict):
    """R2 of a factor, read off test images, their reconstructions (with its standard error) and their latents."""

    image: float
    reconstruction: float
    standard_error: float
    latents: float


class Fidelity(TypedDict):
    """What is left of each factor, the mean over factors of what is left in reconstructions, and the test images."""

    factors: dict[str, FactorFidelity]
    mean: float
    images: int


class Edit(TypedDict):
    """The mean change of each factor by an edit of faces that lack the attribute, in standard deviations.

    Attributes:
        direction: the method of the direction.
        change: of each factor; the wanted factor first.
        by_method: the same changes by the directions of all methods.
    """

    strength: float
    direction: NotRequired[str]
    change: dict[str, float]
    by_method: NotRequired[dict[str, dict[str, float]]]


class EditedPhotographs(TypedDict):
    """What a small network that has learnt an attribute says of edited test faces, which did not have it.

    Attributes:
        accuracy: of the network on test images.
        strengths: of the edits.
        share: of the edited faces, those that have the attribute.
        distance: mean distance from a face to its edited version in the network's features, as a share of the mean
            distance between two different faces.
        images: edited faces.
        learnt_from: the train images that the network has seen.
    """

    accuracy: float
    strengths: list[float]
    share: list[float]
    distance: list[float]
    images: int
    learnt_from: NotRequired[int]


class Curves(TypedDict):
    """The number of epochs of the run, and the best epoch."""

    epochs: int
    best_epoch: int


class Reconstructions(TypedDict):
    """The names of the test images in the figure, and the mean PSNR and SSIM of their reconstructions."""

    images: list[str]
    psnr: float
    ssim: float


class FittedPrior(TypedDict):
    """The prior that was fitted after training.

    Attributes:
        components: of the mixture.
        elbo: the ELBO of the model with this prior, in nats per image; its error is that of the draws of z.
        gain: the same ELBO minus that with the model's own prior, at the same draws.
        images: test images.
    """

    components: int
    elbo: EstimateRecord
    gain: EstimateRecord
    images: int


class Samples(TypedDict):
    """The standard deviation of the pixels of samples and of test images."""

    seed: int
    pixel_standard_deviation: dict[str, float]


class Interpolation(TypedDict):
    """The names of each pair of test images, and the length of the path between the two in latent space."""

    pairs: list[list[str]]
    path_lengths: list[float]


class Traversal(TypedDict):
    """The test image that the figure starts from, the latents in the figure, and the factor that each one carries."""

    image: str
    latents: list[int]
    carry: list[str]


class LatentMap(TypedDict):
    """The number of images on the map, and the share of the variance on the first two principal components."""

    images: int
    pca_share_of_variance: float


class Distances(TypedDict):
    """The Frechet and the kernel distance from the test images to another set of images, in a feature space."""

    frechet: float
    kernel: float
    kernel_error: float


# Key "images": the number of images. Every other key is the name of a set of images, with the distances to this set.
SampleQuality = dict[str, int | Distances]


class Inputs(TypedDict):
    """Digests of what the numbers depend on.

    Attributes:
        model: the weights of the model.
        images: the pixels and names of the images, and their split.
        labels: the labels, classes and factors of the images.
        history: the rows of history.csv.
    """

    model: str
    images: str
    labels: str
    history: str


class Record(TypedDict, total=False):
    """All sections of `metrics.json`.

    Attributes:
        format: of the file.
        data: the images on which the numbers were computed, as `--data` names them.
        epoch: the epoch of the model; None if the model does not say it.
        inputs: of the numbers.
        others: records about other images, by their name in `data`.
        additional: numbers of metrics and evaluations that other code registers, by name.
    """

    format: int
    data: str
    epoch: int | None
    inputs: Inputs
    others: dict[str, "Record"]
    test: Test
    linear_vae: Baseline
    pca: Baseline
    attributes: dict[str, Attribute]
    kl_split: KlSplit
    importance_weighted: ImportanceWeighted
    latents: Latents
    fidelity: Fidelity
    edits: dict[str, Edit]
    edited_photographs: dict[str, EditedPhotographs]
    disentanglement: Disentanglement
    dataset: Dataset
    curves: Curves
    reconstructions: Reconstructions
    samples: Samples
    fitted_prior: FittedPrior
    interpolation: dict[str, Interpolation]
    traversal: Traversal
    latent_map: LatentMap
    sample_quality: SampleQuality
    inception_quality: SampleQuality
    additional: dict[str, float]


def baselines(record: Record) -> dict[str, Baseline]:
    """The numbers of the linear models in the record, by the names that tables show."""
    found = {}
    if "linear_vae" in record:
        found["linear VAE"] = record["linear_vae"]
    if "pca" in record:
        found["PCA"] = record["pca"]
    return found


def read_record(run: Run) -> Record:
    """The numbers in metrics.json; an empty record if there is no file.

    Raises:
        UserError: the file does not follow the schema, or a later version wrote it.
    """
    if not run.metrics.exists():
        return {}
    try:
        numbers = read_json(run.metrics)
        remedy = "remove it and evaluate again, or use the version that wrote it"
        check_format(run.metrics, numbers.get("format", 1), FORMAT, remedy)
        msgspec.convert(numbers, Record)
    except (ValueError, TypeError, AttributeError) as reason:
        raise UserError(f"{run.metrics} is damaged ({reason}); remove it and evaluate again") from reason
    return cast(Record, numbers)  # the file as it is: sections that another program added stay


ABOUT = ("format", "data", "epoch", "inputs", "others")  # every other key is a section
MODEL_AND_IMAGES: tuple[str, ...] = ("model", "images")
# The inputs of the sections that depend on fewer than the model, the images and the labels.
FEWER_INPUTS = {
    "curves": ("history",),
    **dict.fromkeys(
        ("test", "linear_vae", "pca", "kl_split", "importance_weighted", "latents", "reconstructions", "samples",
         "fitted_prior", "interpolation", "latent_map", "sample_quality", "inception_quality"), MODEL_AND_IMAGES,
    ),
}  # fmt: skip


def record_about(record: Record, data: str, epoch: int | None, inputs: Inputs) -> tuple[Record, list[str]]:
    """The record about these images, without stale sections; and the names of the stale sections.

    A record about other images moves to "others", and the record about these images comes from there. Records about
    other images are stale if they are about another model, or about the curves of another history.
    """
    records = {**record.get("others", {}), record.get("data", data): record}
    current, stale = _without_stale(records.pop(data, {}), {*Inputs.__annotations__}, inputs)
    others = {}
    for name, other in records.items():
        kept, old = _without_stale(other, {"model", "history"}, inputs)
        stale += [f"{section} of {name}" for section in old]
        if set(kept) - {*ABOUT}:
            others[name] = {key: value for key, value in kept.items() if key not in ("format", "others")}
    about = {"format": FORMAT, "data": data, "epoch": epoch, "inputs": inputs, **({"others": others} if others else {})}
    return cast(Record, {**about, **{name: value for name, value in current.items() if name not in ABOUT}}), stale


def _without_stale(record: Record, compared: set[str], inputs: Inputs) -> tuple[Record, list[str]]:
    """The record without the sections for which one of the compared inputs differs; and the names of those."""
    before, now = (cast(dict[str, str], some) for some in (record.get("inputs", {}), inputs))
    changed = {name for name in compared if before.get(name) != now[name]}
    stale = [
        section
        for section in record
        if section not in ABOUT and changed & {*FEWER_INPUTS.get(section, (*MODEL_AND_IMAGES, "labels"))}
    ]
    return cast(Record, {key: value for key, value in record.items() if key not in stale}), stale


def finite(record: Record) -> tuple[Record, list[str]]:
    """The record without sections in which a number is not finite, which JSON cannot hold; and the names of those."""
    additional = record.get("additional", {})
    bad = [name for name, section in record.items() if name != "additional" and not _is_finite(section)]
    bad_numbers = [name for name, value in additional.items() if not _is_finite(value)]
    kept = {name: section for name, section in record.items() if name not in bad}
    if bad_numbers:
        kept["additional"] = {name: value for name, value in additional.items() if name not in bad_numbers}
    return cast(Record, kept), bad + bad_numbers


def _is_finite(section: Any) -> bool:
    if isinstance(section, dict):
        return all(map(_is_finite, section.values()))
    if isinstance(section, list):
        return all(map(_is_finite, section))
    return not isinstance(section, float) or math.isfinite(section)


def merged(old: Record, new: Record) -> Record:
    """The old record, updated with the new one. A section that both have is merged key by key."""
    return cast(Record, _merged(cast(dict, old), cast(dict, new)))


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    both = {key: _merged(old[key], new[key]) for key in old.keys() & new.keys() if isinstance(new[key], dict)}
    return {**old, **new, **both}
