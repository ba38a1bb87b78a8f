"""The numbers of metrics.json as tables; each is left out where its numbers are not there."""

from collections.abc import Iterator
from typing import NamedTuple

from markupsafe import Markup

from common.documents import Numbering
from vae_keras.report.blocks import joined, table
from vae_keras.report.words import Numbers
from vae_keras.results import RIVALS


class Quantity(NamedTuple):
    """A row: the number's key, its name, its unit, and how it is written."""

    key: str
    name: str
    unit: str
    written: str

    def of(self, held: Numbers) -> str:
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
PARTS = {
    "mutual_information": "mutual information I(x; z)",
    "total_correlation": "total correlation",
    "dimension_wise_kl": "dimension-wise KL",
}


def number_tables(numbers: Numbers, numbering: Numbering) -> Markup:
    """All tables whose numbers are there."""
    made = (test_table, bound_table, attribute_table, score_table, distance_table)
    return joined(part for make in made for part in make(numbers, numbering))


def test_table(numbers: Numbers, numbering: Numbering) -> Iterator[Markup]:
    """The VAE on the test images, beside the linear model where there is one."""
    if "test" not in numbers:
        return
    columns = {"VAE": numbers["test"]} | {name: numbers[key] for key, name in RIVALS.items() if key in numbers}
    rows = [
        (row.name, row.unit, *(row.of(held) for held in columns.values()))
        for row in QUANTITIES
        if row.key in numbers["test"]
    ]
    caption = "The model on the test images" + (", beside the best linear one." if len(columns) > 1 else ".")
    yield table(numbering, caption, ("quantity", "unit", *columns), rows)


def bound_table(numbers: Numbers, numbering: Numbering) -> Iterator[Markup]:
    """The KL in its parts, and the importance-weighted bound."""
    if split := numbers.get("kl_split"):
        rows = [
            (name, f"{split[key]['value']:.3f}", f"{split[key]['standard_error']:.3f}") for key, name in PARTS.items()
        ]
        rows.append(("KL, in closed form", f"{split['kl']:.3f}", ""))
        rows.append((f"ceiling of the mutual information, ln {split['images']:,}", f"{split['ceiling']:.3f}", ""))
        caption = f"What the KL is made of on {split['images']:,} test images, in nats."
        yield table(numbering, caption, ("part", "value", "standard error"), rows)
    if bound := numbers.get("importance_weighted"):
        both = {"ELBO, one draw": "elbo", f"importance-weighted bound, {bound['samples']} draws": "bound"}
        caption = f"Two lower bounds of log p(x), on the same {bound['images']:,} test images, in nats."
        yield table(
            numbering, caption, ("bound", "value"), [(name, f"{bound[key]:,.1f}") for name, key in both.items()]
        )


def attribute_table(numbers: Numbers, numbering: Numbering) -> Iterator[Markup]:
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


def score_table(numbers: Numbers, numbering: Numbering) -> Iterator[Markup]:
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


def distance_table(numbers: Numbers, numbering: Numbering) -> Iterator[Markup]:
    """How near samples come to test images, by each network that was asked."""
    for key, network in {"sample_quality": "the project's own network", "inception_quality": "Inception"}.items():
        if measured := numbers.get(key):
            rows = [
                (name, f"{sets['frechet']:.3g}", f"{sets['kernel']:.3g}", f"{sets['kernel_error']:.1g}")
                for name, sets in measured.items()
                if isinstance(sets, dict)
            ]
            caption = f"Distances from {measured['images']:,} test images to as many others, as {network} sees them."
            yield table(numbering, caption, ("images", "Frechet", "kernel", "standard error"), rows)
