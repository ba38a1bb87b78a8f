"""The chapter on the set-up of a run: command, settings, images, layers, likelihood and objective."""

import dataclasses
import inspect
import shlex
from collections.abc import Iterator
from typing import Any

import keras
from markupsafe import Markup

from common.documents import Numbering
from common.errors import UserError
from data.sources import RENDERED, canonical
from vae_keras.config import OWN, Config
from vae_keras.evaluation.record import Record
from vae_keras.model import VAE
from vae_keras.parts import PARTS
from vae_keras.registry import flag_of
from vae_keras.report.blocks import Section, joined, paragraph, preformatted, table


def setup_sections(config: Config, vae: VAE, numbers: Record, numbering: Numbering) -> list[Section]:
    """The sections of the chapter."""
    return [
        Section(
            "setup-settings",
            "Settings",
            joined(
                [
                    paragraph(
                        "This command repeats the run. On the same machine, the result is identical to the last bit."
                    ),
                    preformatted([command_of(config)]),
                    table(
                        numbering,
                        "The settings of the run. Options that the chosen parts do not use are left out.",
                        ("setting", "value", "meaning"),
                        setting_rows(config),
                    ),
                ]
            ),
        ),
        Section("setup-images", "Images", _images(config, numbers, numbering)),
        Section("setup-network", "Network", _network(vae, config.architecture, numbering)),
        Section("setup-loss", "Likelihood and objective", _loss(vae, config)),
    ]


def command_of(config: Config) -> str:
    """The shortest command `python train.py ...` that gives these settings.

    A setting is left out if it has its default, or if the other settings imply its value.
    """
    # The images are compared separately, because their folder may no longer exist.
    placed = config.replaced(data=RENDERED)
    defaults = Config().settings()
    needed = {name: value for name, value in placed.settings().items() if value != defaults.get(name)}
    for name in list(needed):
        fewer = {other: value for other, value in needed.items() if other != name}
        if _settings(fewer) == _settings(needed):
            needed = fewer
    if config.data != canonical(RENDERED):
        needed = {"data": config.data} | needed
    return shlex.join(["python", "train.py", *(word for name, value in needed.items() for word in _flag(name, value))])


def _settings(given: dict[str, Any]) -> Config | None:
    try:
        return Config.of(**given).checked()
    except UserError:
        return None


def _flag(name: str, value: Any) -> list[str]:
    if isinstance(value, bool):
        return [flag_of(name if value else f"no_{name}")]
    return [flag_of(name), f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)]


def setting_rows(config: Config) -> Iterator[tuple[str, str, str]]:
    """The flag, the value and the meaning of each setting that the run uses."""
    chosen = {name: option for kind in PARTS for name, option in config.build(kind).options().items()}
    for name, value in config.settings().items():
        yield flag_of(name), str(value), (OWN | chosen)[name].help


def _images(config: Config, numbers: Record, numbering: Numbering) -> Markup:
    parts = numbers.get("dataset", {}).get("parts", {})
    labels = numbers.get("dataset", {}).get("labels", {})
    height, width, channels = config.image_shape
    kind = "grey" if channels == 1 else "RGB"
    blocks = [
        paragraph(f"The images are {config.data}: {height} x {width} pixels, {kind}, values from 0 to 1."),
        table(
            numbering,
            "The split of the images. Only the evaluation reads the test part.",
            ("part", "images"),
            [(part, f"{count:,}") for part, count in parts.items()],
        ),
    ]
    if labels:
        total = sum(parts.values())
        rows = [(name, f"{count:,}", f"{count / total:.0%}") for name, count in labels.items()]
        blocks.append(table(numbering, "The number of images with each label.", ("label", "images", "share"), rows))
    return joined(blocks)


def _network(vae: VAE, architecture: str, numbering: Numbering) -> Markup:
    rows = [
        *(("encoder", *layer_row(layer)) for layer in vae.encoder.layers),
        ("", "split into mean and log-variance; sample", f"{vae.latent_dim}", "0"),
        *(("decoder", *layer_row(layer)) for layer in vae.decoder.layers),
    ]
    total = sum(layer.count_params() for part in (vae.encoder, vae.decoder) for layer in part.layers)
    caption = f"The layers of the network `{architecture}`; {total:,} parameters in all."
    return table(numbering, caption, ("part", "layer", "output", "parameters"), rows)


def layer_row(layer: keras.Layer) -> tuple[str, str, str]:
    """A layer in words, the shape of its output, and its number of parameters."""
    words = [type(layer).__name__]
    if hasattr(layer, "kernel_size"):
        words.append(f"kernel {layer.kernel_size[0]}, stride {layer.strides[0]}")
    activation = getattr(getattr(layer, "activation", None), "__name__", "linear")
    if activation != "linear":
        words.append({"relu": "ReLU"}.get(activation, activation))
    shape = " x ".join(f"{size:,}" for size in layer.output.shape[1:])
    return ", ".join(words), shape, f"{layer.count_params():,}"


def _loss(vae: VAE, config: Config) -> Markup:
    return joined(
        [
            paragraph(f"Likelihood {config.likelihood}: {first_line(vae.parts['likelihood'])}"),
            paragraph(f"Objective {config.objective}, which training minimises: {first_line(vae.parts['objective'])}"),
            paragraph(
                "All terms are per image and in nats: they are sums over pixels or latents, and means over images."
            ),
        ]
    )


def first_line(value: object) -> str:
    """The first line of a class's docstring, with the values of the options."""
    said = (inspect.getdoc(type(value)) or "").partition("\n")[0]
    options = dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else {}
    with_values = ", ".join(f"{name} = {option}" for name, option in options.items())
    return f"{said} Here {with_values}." if with_values else said
