"""The settings of a run: one frozen value, whose fields describe themselves.

The fields of `Config` carry their help texts and ranges. The parts that a run chooses by name (architecture, prior,
objective, likelihood, optimiser, schedule) carry those of their options. The flags of `train.py` are made from both, so
every setting is described in one place.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from common.errors import UserError
from common.ranges import SEEDS, Range
from data.sources import canonical
from data.split import TEST_FRACTION
from vae_keras.architectures import PRECISIONS, Architecture
from vae_keras.architectures.architecture import SIDES
from vae_keras.likelihoods import LikelihoodPart
from vae_keras.objectives import Objective
from vae_keras.objectives.objective import WEIGHT
from vae_keras.optimization import Optimizer, Schedule
from vae_keras.parts import PARTS
from vae_keras.priors import PriorPart
from vae_keras.registry import EPOCHS, Check, Option, allow, choose, flag_of, look_up

NOT_TEST = 1 - TEST_FRACTION


class Setting(NamedTuple):
    """A field of `Config` as a flag.

    Attributes:
        check: why a value is refused; None where it is allowed.
    """

    name: str
    type: type
    default: Any
    help: str
    check: Check


def _grey_or_rgb(value: int) -> str | None:
    return None if value in (1, 3) else "must be 1 (grey) or 3 (RGB)"


def _share_of_images(value: float) -> str | None:
    return None if 0 <= value < NOT_TEST else f"must be from 0 to below {NOT_TEST}, the share that is not test"


def setting(default: Any, kind: type, text: str, check: Check = allow) -> Any:
    """A field of `Config` with the type, help text and range of its flag; see `Setting`."""
    return field(default=default, metadata={"type": kind, "help": text, "check": check})


@dataclass(frozen=True)
class Config:
    """Everything that determines a run, with the assignment's values as defaults.

    `Config.of` makes one from settings by name.

    Attributes:
        options: the options of the chosen parts, by name. An option that is not in it has the default of its part.
    """

    data: str = setting("faces", str, "faces, faces:N (rendered), olivetti, lfw or a folder of images")
    image_size: int = setting(128, int, f"height and width in pixels, {SIDES.words}", SIDES.refusal)
    channels: int = setting(1, int, "1 for grey, 3 for RGB", _grey_or_rgb)
    architecture: str = setting("table", str, "encoder and decoder")
    prior: str = setting("standard", str, "density of the latents")
    objective: str = setting("vae", str, "quantity that training minimises")
    likelihood: str = setting("bernoulli", str, "density of the pixels given the latents")
    flip: bool = setting(False, bool, "show every training image as its mirror image half of the time")
    shift: int = setting(
        0,
        int,
        "move every training image by up to so many pixels each way, at random",
        Range(0, SIDES.high - 1).refusal,
    )
    latent_dim: int = setting(32, int, "number of latents", Range(1, 4096).refusal)
    validation: float = setting(
        0.1, float, "share of all images, taken from train, that picks the best epoch", _share_of_images
    )
    epochs: int = setting(1000, int, "passes over the training images", EPOCHS.refusal)
    optimizer: str = setting("adam", str, "how a gradient becomes a step")
    schedule: str = setting("constant", str, "how the learning rate changes in the run")
    lr: float = setting(5e-4, float, "learning rate; the highest, if it changes in the run", Range(1e-8, 10).refusal)
    clipping: float = setting(
        0.0,
        float,
        "a gradient longer than so many times the running mean is shortened to that; 0 shortens none",
        Range(1, 1e6, zero=True).refusal,
    )
    weight_decay: float = setting(
        0.0,
        float,
        "each step reduces each weight by this share times the learning rate; biases do not decay",
        WEIGHT.refusal,
    )
    weight_averaging: float = setting(
        0.0,
        float,
        "evaluate and save an average of the weights over the training steps; the value is the averaging window as a "
        "share of all steps so far, at most 0.5, which weights all steps equally; 0 saves the weights of the last step",
        Range(1e-6, 0.5, zero=True).refusal,
    )
    batch_size: int = setting(128, int, "images in a step", Range(1, 1_000_000).refusal)
    precision: str = setting(
        "auto",
        str,
        f"number type of the layers: one of {', '.join(PRECISIONS)}; auto is bfloat16 for deep, else float32",
    )
    seed: int = setting(0, int, "of the split, the weights, the noise and the order of the images", SEEDS.refusal)
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, **settings: Any) -> "Config":
        """The settings with these values by name, options of the chosen parts included.

        Raises:
            TypeError: there is no setting of such a name.
        """
        if unknown := [name for name in settings if not described_as(name)]:
            raise TypeError(f"there is no setting {unknown[0]}")
        own = {name: value for name, value in settings.items() if name in OWN}
        return cls(**own, options={name: value for name, value in settings.items() if name not in OWN})

    def replaced(self, **settings: Any) -> "Config":
        """The same settings but for these."""
        return Config.of(**{**self.settings(), **settings})

    def settings(self) -> dict[str, Any]:
        """All settings that are set, by name, options of the chosen parts included."""
        return {name: getattr(self, name) for name in OWN} | dict(self.options)

    def check(self) -> None:
        """Compare every setting with its range, and settings with each other.

        Raises:
            UserError: a value out of range, an unknown name, or settings that do not fit together.
        """
        described: list[tuple[Setting | Option, Any]] = [(one, getattr(self, name)) for name, one in OWN.items()]
        for one, value in described + self._chosen_options():
            if reason := one.check(value):
                raise UserError(f"{flag_of(one.name)} {value} {reason}")
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
        for option, value in self._chosen_options():
            if isinstance(option, Option) and option.in_epochs and value > self.epochs:
                raise UserError(
                    f"{flag_of(option.name)} {value:g} is longer than the run, --epochs {self.epochs}; "
                    "pass as many epochs or fewer"
                )
        self.build_architecture().precision_of(self.precision)

    def checked(self) -> "Config":
        """The same settings with every default filled in and the source of images spelled in full.

        Raises:
            UserError: as `check`, or there is no such source.
        """
        self.check()
        options = {option.name: value for option, value in self._chosen_options()}
        precision = self.build_architecture().precision_of(self.precision)
        return dataclasses.replace(self, data=canonical(self.data), precision=precision, options=options)

    def _chosen_options(self) -> list[tuple[Setting | Option, Any]]:
        """Each option of the chosen parts, and its value.

        Raises:
            UserError: an unknown name, or an option that no chosen part has.
        """
        parts = [self.build(kind) for kind in PARTS]
        return [(option, getattr(part, name)) for part in parts for name, option in part.options().items()]

    def build(self, kind: str) -> Any:
        """The chosen part of this kind, a key of `PARTS`, with its options.

        Raises:
            UserError: the name is unknown, or an option is set that this choice does not use.
        """
        registry, name = PARTS[kind], getattr(self, kind)
        options = look_up(kind, registry, name).options().values()
        defaults = {option.name: option.default_for(self.epochs) for option in options}
        given = {option: self.options[option] for option in options_by_part(kind) if option in self.options}
        return choose(kind, registry, name, defaults | given)

    def build_architecture(self) -> Architecture:
        return self.build("architecture")

    def build_prior(self) -> PriorPart:
        return self.build("prior")

    def build_objective(self) -> Objective:
        return self.build("objective")

    def build_likelihood(self) -> LikelihoodPart:
        return self.build("likelihood")

    def build_optimizer(self) -> Optimizer:
        return self.build("optimizer")

    def build_schedule(self) -> Schedule:
        return self.build("schedule")

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return (self.image_size, self.image_size, self.channels)


# The settings that are fields of `Config`, by name.
OWN = {
    one.name: Setting(one.name, one.metadata["type"], one.default, one.metadata["help"], one.metadata["check"])
    for one in dataclasses.fields(Config)
    if one.metadata
}


def options_by_part(kind: str) -> dict[str, dict[str, Option]]:
    """The options of all parts of a kind: by option, by the name of the part."""
    options: dict[str, dict[str, Option]] = {}
    for part, cls in PARTS[kind].items():
        for name, option in cls.options().items():
            options.setdefault(name, {})[part] = option
    return options


def all_settings() -> list[str]:
    """The names of all settings, options of every part included."""
    return list(dict.fromkeys([*OWN, *(name for kind in PARTS for name in options_by_part(kind))]))


def described_as(name: str) -> list[Setting | Option]:
    """The descriptions of a setting: one for a field of `Config`, one for each part that has an option of that name."""
    if name in OWN:
        return [OWN[name]]
    return [option for kind in PARTS for option in options_by_part(kind).get(name, {}).values()]
