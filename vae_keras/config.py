"""The settings of a run: one frozen value, from flags to the file `config.json` and back.

Each field carries its help text and its range; the flags of `train.py`
are made from the fields, so a setting is described here and nowhere else.
"""

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.command_line import SEEDS, Range
from common.errors import UserError
from common.files import write_text
from data.sources import canonical
from vae_keras.architectures import ARCHITECTURES, Architecture
from vae_keras.likelihoods import LIKELIHOODS, Likelihood
from vae_keras.model import PRECISIONS
from vae_keras.objectives import OBJECTIVES, Objective
from vae_keras.registry import choose, flag_of, look_up, options_of
from vae_keras.total_correlation import ESTIMATORS

Check = Callable[[Any], str | None]


EPOCHS = Range(1, 1_000_000)
LARGEST_SIDE = 2048  # pixels
# What multiplies nats, and nats: the squares of their gradients, which Adam keeps, stay below the end of float32, 3e38.
WEIGHT = Range(0, 1e6)


def _image_side(value: int) -> str | None:
    allowed = 32 <= value <= LARGEST_SIDE and value % 16 == 0
    return None if allowed else f"must be a multiple of 16 from 32 up to {LARGEST_SIDE}"


def _grey_or_rgb(value: int) -> str | None:
    return None if value in (1, 3) else "must be 1 (grey) or 3 (RGB)"


def _share_of_images(value: float) -> str | None:
    return None if 0 <= value < 0.8 else "must be from 0 to below 0.8, the share that is not test"


def setting(default: Any, kind: type, text: str, check: Check | None = None, usually: str | None = None) -> Any:
    """A field of `Config` with the type, help text and range of its flag.

    Args:
        check: why a value is refused; None where it is allowed.
        usually: the default, in words, where it depends on other settings.
    """
    return dataclasses.field(default=default, metadata={"type": kind, "help": text, "check": check, "usually": usually})


@dataclass(frozen=True)
class Config:
    """Everything that determines a run, with the assignment's values as defaults.

    Settings that the chosen architecture, objective or likelihood does not use are None.
    """

    data: str = setting("faces", str, "faces, faces:N (rendered), olivetti, lfw or a folder of images")
    image_size: int = setting(
        128, int, f"height and width in pixels, a multiple of 16 from 32 up to {LARGEST_SIDE}", _image_side
    )
    channels: int = setting(1, int, "1 for grey, 3 for RGB", _grey_or_rgb)
    architecture: str = setting("table", str, f"one of {', '.join(ARCHITECTURES)}")
    linear_start: bool | None = setting(
        None, bool, "of table: start as the best linear VAE of the train images, not at random weights"
    )
    hidden_size: int | None = setting(
        None, int, "of deep: units of the hidden layer in each half", Range(1, 16384).refusal
    )
    batch_normalization: bool | None = setting(None, bool, "of deep: after each hidden convolution")
    dropout: float | None = setting(
        None,
        float,
        "of deep: share of each hidden convolution's activations that is set to zero",
        Range(0, 0.99).refusal,
    )
    objective: str = setting("vae", str, f"one of {', '.join(OBJECTIVES)}")
    beta: float | None = setting(
        None,
        float,
        "multiplies the KL (beta_vae) or the total correlation (beta_tc_vae), in nats summed over latents, against a "
        "likelihood summed over pixels",
        Range(1e-9, WEIGHT.high).refusal,
    )
    capacity: float | None = setting(
        None, float, "of annealed_vae: the KL to end with, summed over latents, in nats", WEIGHT.refusal
    )
    gamma: float | None = setting(
        None,
        float,
        "multiplies the distance from KL to capacity (annealed_vae) or the total correlation (factor_vae), in nats "
        "summed over latents, against a likelihood summed over pixels",
        WEIGHT.refusal,
    )
    warm_up: float | None = setting(
        None,
        float,
        "epochs over which beta (beta_vae) or the capacity (annealed_vae) rises from zero",
        Range(1e-3, EPOCHS.high, zero=True).refusal,
        "0 for beta_vae, half of all epochs for annealed_vae",
    )
    mutual_information_weight: float | None = setting(
        None, float, "of beta_tc_vae: multiplies the mutual information of image and latents", WEIGHT.refusal
    )
    dimension_wise_weight: float | None = setting(
        None, float, "of beta_tc_vae: multiplies the KL of each latent's own distribution", WEIGHT.refusal
    )
    estimator: str | None = setting(
        None, str, f"of beta_tc_vae: how a batch stands for all images, one of {', '.join(ESTIMATORS)}"
    )
    likelihood: str = setting("bernoulli", str, f"one of {', '.join(LIKELIHOODS)}")
    variance: float | None = setting(
        None, float, "of gaussian: of every pixel, on the scale [0, 1]", Range(1e-6, 1e3).refusal
    )
    flip: bool = setting(False, bool, "show every training image as its mirror image half of the time")
    shift: int = setting(
        0,
        int,
        "show every training image moved by up to so many pixels each way, at random",
        Range(0, LARGEST_SIDE - 1).refusal,
    )
    latent_dim: int = setting(32, int, "number of latents", Range(1, 4096).refusal)
    validation: float = setting(
        0.1, float, "share of all images, taken from train, that picks the epoch", _share_of_images
    )
    epochs: int = setting(1000, int, "passes over the training images", EPOCHS.refusal)
    lr: float = setting(5e-4, float, "learning rate of Adam", Range(1e-8, 10).refusal)
    weight_decay: float = setting(
        0.0, float, "of Adam: share of each weight, times the learning rate, taken off in a step", WEIGHT.refusal
    )
    weight_averaging: float = setting(
        0.0,
        float,
        "evaluate and save an average of the weights; the value is their mean age as a share of all steps so far, "
        "at most 0.5, where all steps count alike; 0 for the weights of the last step",
        Range(1e-6, 0.5, zero=True).refusal,
    )
    batch_size: int = setting(128, int, "images a step", Range(1, 1_000_000).refusal)
    precision: str = setting(
        "auto",
        str,
        f"in which layers compute: one of {', '.join(PRECISIONS)}; auto is float32 for table, bfloat16 for deep",
    )
    seed: int = setting(0, int, "of the split, the weights, the noise and the order of the images", SEEDS.refusal)

    def check(self) -> None:
        """Compare every setting with its range, and settings with each other.

        Raises:
            UserError: a value out of range, an unknown name, or settings that do not fit together.
        """
        for field in dataclasses.fields(self):
            value, check = getattr(self, field.name), field.metadata["check"]
            if check and value is not None and (reason := check(value)):
                raise UserError(f"{flag_of(field.name)} {value} {reason}")
        if self.shift >= self.image_size:
            raise UserError(
                f"--shift {self.shift} moves images of --image-size {self.image_size} out of view; "
                f"pass at most {self.image_size - 1}"
            )
        if self.lr * self.weight_decay > 1:
            raise UserError(
                f"--weight-decay {self.weight_decay:g} times --lr {self.lr:g} is {self.lr * self.weight_decay:g}; "
                "lower one of them: at 1 a step takes off the whole weight"
            )
        warm_up = self._filled_in().get("warm_up") or 0
        if warm_up > self.epochs:
            raise UserError(
                f"--warm-up {warm_up:g} is longer than the run, --epochs {self.epochs}; "
                "pass as many epochs or a shorter one"
            )
        precision_of(self.precision, self.architecture)

    def checked(self) -> "Config":
        """The same settings with every default filled in and the source of images spelled in full.

        Raises:
            UserError: as `check`, or there is no such source.
        """
        self.check()
        precision = precision_of(self.precision, self.architecture)
        return dataclasses.replace(self, data=canonical(self.data), precision=precision, **self._filled_in())

    def _filled_in(self) -> dict[str, Any]:
        """The settings of the chosen architecture, objective and likelihood, with their defaults filled in."""
        chosen = (self.build_architecture(), self.build_objective(), self.build_likelihood())
        return {name: getattr(part, name) for part in chosen for name in options_of(type(part)).keys() & vars(self)}

    def build_architecture(self) -> Architecture:
        return choose("architecture", ARCHITECTURES, self.architecture, self._options(ARCHITECTURES))

    def build_objective(self) -> Objective:
        options = self._options(OBJECTIVES)
        cls = look_up("objective", OBJECTIVES, self.objective)
        if self.warm_up is None and "warm_up" in options_of(cls):
            options["warm_up"] = cls.usual_warm_up * self.epochs
        return choose("objective", OBJECTIVES, self.objective, options)

    def build_likelihood(self) -> Likelihood:
        return choose("likelihood", LIKELIHOODS, self.likelihood, self._options(LIKELIHOODS))

    def _options(self, table: Mapping[str, type]) -> dict[str, Any]:
        """The settings that some entry of the table uses."""
        return {
            name: value for name, value in vars(self).items() if any(name in options_of(cls) for cls in table.values())
        }

    def used(self) -> dict[str, Any]:
        """The settings that are not None, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return (self.image_size, self.image_size, self.channels)

    def save(self, path: Path) -> None:
        write_text(path, json.dumps(dataclasses.asdict(self), indent=2) + "\n")


def load_config(path: Path) -> Config:
    """The settings in a `config.json`.

    Raises:
        UserError: the file cannot be read, does not hold a run's settings, holds some of a later version, or some
            that are out of range.
    """
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        unknown = saved.keys() - {field.name for field in dataclasses.fields(Config)}
        if unknown and {"data", "epochs"} <= saved.keys():
            raise UserError(
                f"{path} has settings that this version does not know ({', '.join(sorted(unknown))}); "
                "use the version that trained the run, or train a new one"
            )
        config = Config(**{name: _as_written(name, value) for name, value in saved.items()})
    except (OSError, ValueError, TypeError, AttributeError, OverflowError) as reason:
        raise UserError(f"{path} does not hold the settings of a run ({reason}); train a new one") from reason
    try:
        config.check()
    except UserError as reason:
        raise UserError(f"{path}: {reason}") from reason
    return config


def _as_written(name: str, value: Any) -> Any:
    """A setting as JSON holds it, in which 1 may stand for 1.0; TypeError where it is of another type."""
    field = next((field for field in dataclasses.fields(Config) if field.name == name), None)
    if field is None or (value is None and field.default is None):
        return value
    kind = field.metadata["type"]
    if type(value) is not kind and (type(value), kind) != (int, float):
        raise TypeError(f"{name} is {value!r}")
    return kind(value)


def precision_of(asked: str, architecture: str) -> str:
    """The precision that was asked for by name; "auto" is what the architecture usually computes in.

    Raises:
        UserError: an unknown name.
    """
    if asked == "auto":
        cls: type[Architecture] = look_up("architecture", ARCHITECTURES, architecture)
        return cls.usual_precision
    look_up("precision", PRECISIONS, asked)
    return asked


def default_of(field: dataclasses.Field) -> str:
    """What a setting is where it is not given; that of the parts that use it, for settings that not all use."""
    if usually := field.metadata["usually"]:
        return str(usually)
    parts = {**ARCHITECTURES, **OBJECTIVES, **LIKELIHOODS}
    defaults = {name: options_of(part)[field.name] for name, part in parts.items() if field.name in options_of(part)}
    if len(set(defaults.values())) > 1:
        return ", ".join(f"{default} for {name}" for name, default in defaults.items())
    return str(next(iter(defaults.values()), field.default))


def differences(saved: Config, asked: dict[str, Any]) -> list[str]:
    """What was asked for that the saved settings have otherwise, as `--flag asked (was saved)`."""
    return [
        f"{flag_of(name)} {value} (the run has {getattr(saved, name)})"
        for name, value in asked.items()
        if getattr(saved, name) != value
    ]
