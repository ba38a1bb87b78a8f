"""Tables of the numbers in metrics.json. A table is left out if the record lacks its numbers."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from markupsafe import Markup

from common.documents import Numbering
from vae_keras.directions import METHODS
from vae_keras.evaluation.record import Baseline, Record, SampleQuality, Test, baselines
from vae_keras.report.blocks import joined, table


class Quantity(NamedTuple):
    """A row of the table of numbers on the test images.

    Attributes:
        name: the name of the quantity.
        unit: its unit; empty if it has none.
        written: the format of the number, as for `format`.
        of_vae: the number of the VAE; None if it is not defined.
        of_linear: the number of the linear model; None if it is not defined.
    """

    name: str
    unit: str
    written: str
    of_vae: Callable[[Test], float | None]
    of_linear: Callable[[Baseline], float | None]

    def text(self, value: float | None) -> str:
        """The value in the format of the row; empty for None."""
        return "" if value is None else format(value, self.written)


QUANTITIES = (
    Quantity("ELBO", "nats per image", ",.1f", lambda vae: vae["elbo"], lambda linear: linear.get("elbo")),
    Quantity(
        "reconstruction, -log p(x|z)",
        "nats per image",
        ",.1f",
        lambda vae: vae["reconstruction_nll"],
        lambda linear: linear.get("reconstruction_nll"),
    ),
    Quantity("KL(q(z|x) || p(z))", "nats per image", ",.1f", lambda vae: vae["kl"], lambda linear: linear.get("kl")),
    Quantity(
        "bits per dimension",
        "bits per pixel and channel",
        ".3f",
        lambda vae: vae.get("bits_per_dim"),
        lambda linear: linear.get("bits_per_dim"),
    ),
    Quantity(
        "variance of p(x|z)",
        "pixel unit squared",
        ".4g",
        lambda vae: vae.get("variance"),
        lambda linear: linear.get("variance"),
    ),
    Quantity("PSNR", "dB", ".2f", lambda vae: vae["psnr"], lambda linear: linear["psnr"]),
    Quantity("SSIM", "", ".3f", lambda vae: vae["ssim"], lambda linear: linear["ssim"]),
    Quantity("active latents", "", "d", lambda vae: vae["active_units"], lambda linear: None),
    Quantity("test images", "", ",d", lambda vae: vae["images"], lambda linear: linear["images"]),
)


def number_tables(numbers: Record, numbering: Numbering) -> Markup:
    """All tables for which the record has numbers."""
    made = (
        test_table, additional_table, bound_table, fidelity_table, attribute_table, edit_table, score_table,
        distance_table,
    )  # fmt: skip
    return joined(part for make in made for part in make(numbers, numbering))


def test_table(numbers: Record, numbering: Numbering) -> Iterator[Markup]:
    """The VAE on the test images, and the linear model if the record has one."""
    if "test" not in numbers:
        return
    linear = baselines(numbers)
    rows = [
        (row.name, row.unit, row.text(value), *(row.text(row.of_linear(one)) for one in linear.values()))
        for row in QUANTITIES
        if (value := row.of_vae(numbers["test"])) is not None
    ]
    caption = "The VAE" + (" and the best linear model" if linear else "") + " on the test images."
    yield table(numbering, caption, ("quantity", "unit", "VAE", *linear), rows)


def additional_table(numbers: Record, numbering: Numbering) -> Iterator[Markup]:
    """The numbers that registered metrics and evaluations add to the record."""
    if additional := numbers.get("additional"):
        rows = [(name.replace("_", " "), f"{value:,.4g}") for name, value in additional.items()]
        yield table(numbering, "Additional numbers.", ("quantity", "value"), rows)


def bound_table(numbers: Record, numbering: Numbering) -> Iterator[Markup]:
    """The three parts of the KL, and the importance-weighted bound."""
    if split := numbers.get("kl_split"):
        parts = {
            "mutual information I(x; z)": split["mutual_information"],
            "total correlation": split["total_correlation"],
            "dimension-wise KL": split["dimension_wise_kl"],
        }
        rows = [(name, f"{part['value']:.3f}", f"{part['standard_error']:.3f}") for name, part in parts.items()]
        rows.append(("KL(q(z|x) || p(z))", f"{split['kl']:.3f}", ""))
        rows.append((f"ceiling of the mutual information, ln {split['images']:,}", f"{split['ceiling']:.3f}", ""))
        caption = f"The three parts of the KL on {split['images']:,} test images, in nats."
        yield table(numbering, caption, ("part", "value", "standard error"), rows)
    if fitted := numbers.get("fitted_prior"):
        rows = [
            (name, f"{one['value']:,.2f}", f"{one['standard_error']:.2f}")
            for name, one in (("ELBO", fitted["elbo"]), ("gain over the model's own prior", fitted["gain"]))
        ]
        caption = (
            f"The ELBO on {fitted['images']:,} test images with the fitted prior, a mixture of {fitted['components']} "
            f"Gaussians, in nats. It bounds log p(x) of the model with this prior."
        )
        yield table(numbering, caption, ("quantity", "value", "standard error"), rows)
    if bound := numbers.get("importance_weighted"):
        both = [
            ("ELBO, one draw", f"{bound['elbo']:,.1f}"),
            (f"importance-weighted bound, {bound['samples']} draws", f"{bound['bound']:,.1f}"),
        ]
        caption = f"Two lower bounds of log p(x) on the same {bound['images']:,} test images, in nats."
        yield table(numbering, caption, ("bound", "value"), both)


def fidelity_table(numbers: Record, numbering: Numbering) -> Iterator[Markup]:
    """How much of each factor is left in latents and in reconstructions."""
    if measured := numbers.get("fidelity"):
        rows = [
            (
                name.replace("_", " "),
                f"{one['image']:.2f}",
                f"{one['latents']:.2f}",
                f"{one['reconstruction']:.2f} ± {one['standard_error']:.2f}",
            )
            for name, one in measured["factors"].items()
        ]
        rows.append(("mean", "", "", f"{measured['mean']:.2f}"))
        caption = (
            f"What is left of each factor: R2, the share of its variance that is read off {measured['images']:,} test "
            f"images, their latents and their reconstructions."
        )
        yield table(numbering, caption, ("factor", "images", "latents", "reconstructions"), rows)


def attribute_table(numbers: Record, numbering: Numbering) -> Iterator[Markup]:
    """The AUC of each label's direction, and the latent with the largest share of the label's entropy."""
    labels = {name: label for name, label in numbers.get("attributes", {}).items() if "best_latent" in label}
    if labels:
        rows = [
            (
                name,
                f"{label['auc']:.3f}",
                f"{label['auc_logistic']:.3f}" if "auc_logistic" in label else "",
                f"z{label['best_latent']}",
                f"{label['share_in_best_latent']:.0%}",
            )
            for name, label in labels.items()
        ]
        caption = (
            "Attributes. AUC: how well the difference of the class means, and the weights of a logistic regression, "
            "separate the test images; both are fitted on the train images, and 0.5 is chance. Best latent: the latent "
            "that carries the largest share of the attribute's entropy."
        )
        header = ("attribute", "AUC, class means", "AUC, logistic", "best latent", "its share")
        yield table(numbering, caption, header, rows)


def edit_table(numbers: Record, numbering: Numbering) -> Iterator[Markup]:
    """What the edit of each attribute changes, by the directions of all methods."""
    edits = {name: edit for name, edit in numbers.get("edits", {}).items() if "by_method" in edit}
    methods = [method for method in METHODS if any(method in edit["by_method"] for edit in edits.values())]
    if edits:
        rows = [
            (name, edit["direction"], *(_wanted_and_other(edit["by_method"].get(method)) for method in methods))
            for name, edit in edits.items()
        ]
        caption = (
            "Edits at +2 by directions of several methods, on test faces: the change of the attribute, and the largest "
            "change of another factor, in standard deviations. The second column names the method in the figures: "
            "the one with the most selective edit on validation faces (on train faces in a run without them), or the "
            "user's choice."
        )
        yield table(numbering, caption, ("attribute", "method", *methods), rows)


def _wanted_and_other(change: Mapping[str, float] | None) -> str:
    if not change:
        return "none"
    wanted, *others = change.values()
    return f"{wanted:+.1f}, {max(others, key=abs):+.1f}"


def score_table(numbers: Record, numbering: Numbering) -> Iterator[Markup]:
    """Disentanglement scores with their standard errors."""
    if known := numbers.get("disentanglement"):
        rows = [
            (name.replace("_", " "), f"{score['value']:.3f}", f"{score['standard_error']:.3f}")
            for name, score in known["scores"].items()
        ]
        caption = (
            f"Disentanglement scores on {known['images']:,} images. The standard errors come from disjoint pieces of "
            f"these images. They do not include the differences between models trained with different seeds."
        )
        if "dci_disentanglement" not in known["scores"]:
            caption += " DCI is not among them: it takes minutes, and evaluate.py --metrics computes it."
        yield table(numbering, caption, ("score", "value", "standard error"), rows)


def distance_table(numbers: Record, numbering: Numbering) -> Iterator[Markup]:
    """Distances from test images to samples and other sets, one table per network whose features were used."""
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
        count = distances["images"]
        caption = f"Distances from {count:,} test images to other sets of as many images, in the features of {network}."
        yield table(numbering, caption, ("images", "Frechet", "kernel", "standard error"), rows)
