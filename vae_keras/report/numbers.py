"""The numbers of metrics.json as tables; each is left out where its numbers are not there."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from markupsafe import Markup

from common.documents import Numbering
from vae_keras.evaluation.record import Record, SampleQuality, baselines
from vae_keras.report.blocks import joined, table


class Quantity(NamedTuple):
    """A row: the number's key, its name, its unit, and how it is written."""

    key: str
    name: str
    unit: str
    written: str

    def of(self, held: Mapping[str, Any]) -> str:
        """The number as text; nothing where it is not there."""
        return format(held[self.key], self.written) if self.key in held else ""


QUANTITIES = (
    Quantity("elbo", "ELBO", "nats per image", ",.1f"),
    Quantity("reconstruction_nll", "reconstruction, -log p(x|z)", "nats per image", ",.1f"),
    Quantity("kl", "KL(q(z|x) || p(z))", "nats per image", ",.1f"),
    Quantity("bits_per_dim", "bits per dimension", "bits per pixel and channel", ".3f"),
    Quantity("variance", "variance of p(x|z)", "pixel unit squared", ".4g"),
    Quantity("psnr", "PSNR", "dB", ".2f"),
    Quantity("ssim", "SSIM", "", ".3f"),
    Quantity("active_units", "active latents", "", "d"),
    Quantity("images", "test images", "", ",d"),
)


def number_tables(numbers: Record, numbering: Numbering) -> Markup:
    """All tables whose numbers are there."""
    made = (test_table, additional_table, bound_table, attribute_table, score_table, distance_table)
    return joined(part for make in made for part in make(numbers, numbering))


def test_table(numbers: Record, numbering: Numbering) -> Iterator[Markup]:
    """The VAE on the test images, beside the linear model where there is one."""
    if "test" not in numbers:
        return
    columns: dict[str, Mapping[str, Any]] = {"VAE": numbers["test"], **baselines(numbers)}
    rows = [
        (row.name, row.unit, *(row.of(held) for held in columns.values()))
        for row in QUANTITIES
        if row.key in numbers["test"]
    ]
    caption = "The model on the test images" + (", beside the best linear one." if len(columns) > 1 else ".")
    yield table(numbering, caption, ("quantity", "unit", *columns), rows)


def additional_table(numbers: Record, numbering: Numbering) -> Iterator[Markup]:
    """The numbers of registered metrics."""
    if additional := numbers.get("additional"):
        rows = [(name.replace("_", " "), f"{value:,.4g}") for name, value in additional.items()]
        yield table(numbering, "Additional numbers on the test images.", ("quantity", "value"), rows)


def bound_table(numbers: Record, numbering: Numbering) -> Iterator[Markup]:
    """The KL in its parts, and the importance-weighted bound."""
    if split := numbers.get("kl_split"):
        parts = {
            "mutual information I(x; z)": split["mutual_information"],
            "total correlation": split["total_correlation"],
            "dimension-wise KL": split["dimension_wise_kl"],
        }
        rows = [(name, f"{part['value']:.3f}", f"{part['standard_error']:.3f}") for name, part in parts.items()]
        rows.append(("KL, in closed form", f"{split['kl']:.3f}", ""))
        rows.append((f"ceiling of the mutual information, ln {split['images']:,}", f"{split['ceiling']:.3f}", ""))
        caption = f"What the KL is made of on {split['images']:,} test images, in nats."
        yield table(numbering, caption, ("part", "value", "standard error"), rows)
    if bound := numbers.get("importance_weighted"):
        both = [
            ("ELBO, one draw", f"{bound['elbo']:,.1f}"),
            (f"importance-weighted bound, {bound['samples']} draws", f"{bound['bound']:,.1f}"),
        ]
        caption = f"Two lower bounds of log p(x), on the same {bound['images']:,} test images, in nats."
        yield table(numbering, caption, ("bound", "value"), both)


def attribute_table(numbers: Record, numbering: Numbering) -> Iterator[Markup]:
    """Each label's direction and the latent that knows most of it."""
    labels = {name: label for name, label in numbers.get("attributes", {}).items() if "best_latent" in label}
    if labels:
        rows = [
            (name, f"{label['auc']:.3f}", f"z{label['best_latent']}", f"{label['share_in_best_latent']:.0%}")
            for name, label in labels.items()
        ]
        caption = (
            "How well each attribute's direction, fitted on train, separates the test images (AUC; 0.5 is chance), and "
            "the latent that carries the largest share of the label's entropy."
        )
        yield table(numbering, caption, ("attribute", "AUC", "best latent", "its share"), rows)


def score_table(numbers: Record, numbering: Numbering) -> Iterator[Markup]:
    """Disentanglement scores with their errors."""
    if known := numbers.get("disentanglement"):
        rows = [
            (name.replace("_", " "), f"{score['value']:.3f}", f"{score['standard_error']:.3f}")
            for name, score in known["scores"].items()
        ]
        caption = (
            f"Disentanglement on {known['images']:,} images. Standard errors are over disjoint pieces of them; how "
            f"much the scores differ between trained models is another question."
        )
        yield table(numbering, caption, ("score", "value", "standard error"), rows)


def distance_table(numbers: Record, numbering: Numbering) -> Iterator[Markup]:
    """Distances from test images to samples, by each network that was used."""
    measured: dict[str, SampleQuality] = {}
    if "sample_quality" in numbers:
        measured["the project's own network"] = numbers["sample_quality"]
    if "inception_quality" in numbers:
        measured["Inception"] = numbers["inception_quality"]
    for network, distances in measured.items():
        rows = [
            (name, f"{one['frechet']:.3g}", f"{one['kernel']:.3g}", f"{one['kernel_error']:.1g}")
            for name, one in distances.items()
            if not isinstance(one, int)
        ]
        caption = f"Distances from {distances['images']:,} test images to as many others, in the features of {network}."
        yield table(numbering, caption, ("images", "Frechet", "kernel", "standard error"), rows)
