"""Several runs beside each other: their settings and numbers, and the same test faces, edits and curves.

Numbers of two models say which one is better only on the same images, so the runs must have the same test images.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from common.errors import UserError
from common.estimates import Estimate
from common.names import printable
from vae_keras import metrics
from vae_keras.config import Config
from vae_keras.evaluation.context import EvaluationContext
from vae_keras.evaluation.directions import default_attribute, direction_of
from vae_keras.evaluation.record import ABOUT, Record
from vae_keras.evaluation.selectivity import STRENGTH
from vae_keras.latent import decode_latents
from vae_keras.plots import compared_curves, contact_sheet, signed
from vae_keras.registry import flag_of
from vae_keras.run_data import known_attributes

FACES = 10
# Numbers of the record whose standard error has another name, by the name of the number.
ERROR_OF = {"reconstruction": "standard_error", "kernel": "kernel_error"}
DIFFERENCES = ("elbo", "psnr", "ssim")


class Number(NamedTuple):
    """A number of a record, and its standard error if it has one."""

    value: float
    standard_error: float | None = None


class Comparison(NamedTuple):
    """Runs beside each other.

    Attributes:
        runs: their names.
        settings: the values of each setting that differs, by its flag.
        numbers: the numbers of each run, by their path in the record.
        differences: of each run from the first one on the same test images, by the name of the run.
        figures: by file name.
    """

    runs: list[str]
    settings: dict[str, list[str]]
    numbers: list[dict[str, Number]]
    differences: dict[str, dict[str, Estimate]]
    figures: dict[str, Figure]


def compared(contexts: Mapping[str, EvaluationContext], records: Sequence[Record]) -> Comparison:
    """The comparison of runs that `check_comparable` allows.

    Args:
        contexts: of each run, by the name of the run.
        records: the numbers of each run.
    """
    return Comparison(
        [*contexts],
        settings_that_differ([context.config for context in contexts.values()]),
        [numbers_of(record) for record in records],
        differences(contexts),
        comparison_figures(contexts),
    )


def check_comparable(contexts: Mapping[str, EvaluationContext]) -> None:
    """Refuse runs whose test images differ.

    Args:
        contexts: of each run, by the name of the run.

    Raises:
        UserError: the test images of a run differ from those of the first one.
    """
    (first, known), *others = contexts.items()
    digests = _test_digests(known)
    for name, context in others:
        if context.vae.image_shape != known.vae.image_shape:
            shapes = " and ".join("x".join(map(str, one.vae.image_shape)) for one in (known, context))
            raise UserError(
                f"{first} and {name} have images of {shapes}; only runs with the same --image-size and --channels "
                "can be compared"
            )
        if digests != (other := _test_digests(context)):
            count = len(other.keys() ^ digests.keys())
            why = (
                f"{count} images are test images of only one of them"
                if count
                else "the same names have other pixels or are in another order"
            )
            raise UserError(
                f"{first} and {name} have different test images ({why}); train both with the same --data and --seed"
            )


def _test_digests(context: EvaluationContext) -> dict[str, str]:
    dataset = context.data.dataset.take(context.data.split.test)
    return dict(zip(dataset.names, dataset.digests(), strict=True))


def settings_that_differ(configs: Sequence[Config]) -> dict[str, list[str]]:
    """The values of each setting that is not the same in all runs, by its flag; empty where a run does not use it."""
    settings = [config.settings() for config in configs]
    names = dict.fromkeys(name for one in settings for name in one)
    values = {name: ["" if one.get(name) is None else printable(one[name]) for one in settings] for name in names}
    return {flag_of(name): row for name, row in values.items() if len(set(row)) > 1}


def numbers_of(record: Record) -> dict[str, Number]:
    """All numbers of a record, by their path such as `test elbo`. Of an edit, the wanted change and the next largest.

    Lists with a number for each latent are left out: latents of two models do not correspond.
    """
    return {
        " ".join(path).replace("_", " "): number
        for section, content in record.items()
        if section not in ABOUT
        for path, number in _flat((section,), content)
    }


def _flat(path: tuple[str, ...], content: Any) -> Iterator[tuple[tuple[str, ...], Number]]:
    if isinstance(content, bool | str | list) or content is None:
        return
    if not isinstance(content, dict):
        yield path, Number(content)
    elif content.keys() == {"value", "standard_error"}:
        yield path, Number(content["value"], content["standard_error"])
    elif path[-1] == "by_method":
        return
    elif path[-1] == "change":
        for name, change in [*content.items()][:2]:
            yield (*path[:-1], "changes", name), Number(change)
    else:
        errors = {error for number, error in ERROR_OF.items() if number in content}
        for name, inner in content.items():
            if name in ERROR_OF and isinstance(inner, int | float):
                yield (*path, name), Number(inner, content.get(ERROR_OF[name]))
            elif name not in errors:
                yield from _flat((*path, name), inner)


def differences(contexts: Mapping[str, EvaluationContext]) -> dict[str, dict[str, Estimate]]:
    """For each run but the first, how much larger its ELBO, PSNR and SSIM are than those of the first run.

    The mean difference over the test images, by the name of the run. The test images are the same, so the standard
    error is that of the differences of single images: much smaller than the spread of the images. The ELBO is left out
    where one likelihood is a density and the other one is not.
    """
    (_, first), *others = contexts.items()
    seed = first.config.seed
    baseline = _of_each_image(first, seed)
    found = {}
    for name, context in others:
        values = _of_each_image(context, seed)
        same_kind = context.vae.likelihood.is_density == first.vae.likelihood.is_density
        found[name] = {
            quantity: _mean(values[quantity] - baseline[quantity])
            for quantity in DIFFERENCES
            if quantity != "elbo" or same_kind
        }
    return found


def _of_each_image(context: EvaluationContext, seed: int) -> dict[str, np.ndarray]:
    """The ELBO with one posterior sample, PSNR and SSIM of each test image, (n,) each."""
    elbo = metrics.importance_weighted_bound(context.vae, context.test_images, samples=1, seed=seed)
    return {"elbo": elbo, **metrics.similarities(context.test_reconstructions())}


def _mean(values: np.ndarray) -> Estimate:
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
    return Estimate(float(np.mean(values)), spread / np.sqrt(len(values)))


def comparison_figures(contexts: Mapping[str, EvaluationContext]) -> dict[str, Figure]:
    """The same test faces, reconstructed and edited by each run; and the curves of all runs. By file name."""
    first = next(iter(contexts.values()))
    places = first.random_test_images(FACES)
    strips = {"Test faces": first.test_pixels(places)}
    for name, context in contexts.items():
        strips[f"Reconstructed by {name}"] = decode_latents(context.vae, context.test_posterior.mean[places])
    attribute = default_attribute(first.data)
    if attribute and all(attribute in known_attributes(context.data) for context in contexts.values()):
        for name, context in contexts.items():
            step = STRENGTH * direction_of(context, attribute).vector
            edited = decode_latents(context.vae, context.test_posterior.mean[places] + step)
            strips[f"{attribute} {signed(STRENGTH)} by {name}"] = edited
    figures = {
        "compared_faces.png": contact_sheet(
            strips,
            [len(places)] * len(strips),
            "Runs beside each other",
            "Each column is one test face. A reconstruction is decoded from the posterior mean"
            + (", an edit from the mean plus a multiple of the run's own direction." if attribute else "."),
        )
    }
    histories = {name: context.history for name, context in contexts.items() if context.history}
    if histories:
        figures["compared_curves.png"] = compared_curves(
            histories,
            "Training of the runs",
            "Means over the validation images after each epoch, or over the train images for a run without validation "
            "images.",
        )
    return figures
