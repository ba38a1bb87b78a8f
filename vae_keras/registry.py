"""Parts of a VAE that are chosen by name: architectures, priors, likelihoods, objectives.

A part is a frozen dataclass. Its fields that are made by `option` are settings of the command line: name, type,
default, help text and range stand on the part, and nowhere else. One line registers a part:

    OBJECTIVES["my_objective"] = MyObjective
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, TypeVar, get_type_hints

from common.errors import UserError, nearest
from common.ranges import Range

EPOCHS = Range(1, 1_000_000)
Check = Callable[[Any], str | None]
Entry = TypeVar("Entry")


class Option(NamedTuple):
    """An option of a part.

    Attributes:
        name: of the field; --name with hyphens is the flag.
        type: bool, int, float or str.
        default: its value where none is given.
        help: what it does, with its unit.
        check: why a value is refused; None where it is allowed.
        in_epochs: whether it is a number of epochs, which cannot be larger than that of the run.
        share_of_epochs: the default as a share of the run's epochs, in place of `default`; 0 for none.
    """

    name: str
    type: type
    default: Any
    help: str
    check: Check
    in_epochs: bool
    share_of_epochs: float

    def default_for(self, epochs: int) -> Any:
        """The value where none is given, in a run of so many epochs."""
        return self.share_of_epochs * epochs if self.share_of_epochs else self.default

    @property
    def default_in_words(self) -> str:
        return f"{self.share_of_epochs:g} of all epochs" if self.share_of_epochs else str(self.default)


def allow(value: Any) -> str | None:
    """Refuse no value: the check of a setting without a range."""
    return None


def option(
    default: Any, text: str, check: Check = allow, *, in_epochs: bool = False, share_of_epochs: float = 0.0
) -> Any:
    """A field of a part that is a setting of the command line; see `Option`."""
    about = {"help": text, "check": check, "in_epochs": in_epochs, "share_of_epochs": share_of_epochs}
    return dataclasses.field(default=default, metadata=about)


@dataclass(frozen=True)
class Part:
    """What a VAE is made of and a run can choose by name.

    Attributes:
        since_format: the first format of run folders from which models with this part can be loaded.
    """

    since_format: ClassVar[int] = 1

    @classmethod
    def options(cls) -> dict[str, Option]:
        """The options of the part, by name."""
        types = get_type_hints(cls)
        return {
            field.name: Option(field.name, types[field.name], field.default, **field.metadata)
            for field in dataclasses.fields(cls)
            if "help" in field.metadata
        }


# The parts of a kind by name: architectures, priors, objectives or likelihoods.
Registry = dict[str, type[Any]]


def flag_of(name: str) -> str:
    """The flag that sets an option: image_size -> --image-size."""
    return "--" + name.replace("_", "-")


def look_up(kind: str, table: Mapping[str, Entry], name: str) -> Entry:
    """The entry of that name.

    Raises:
        UserError: there is none; the line names the nearest.
    """
    if name not in table:
        raise UserError(f"unknown {kind} {name}; {nearest(name, table)}")
    return table[name]


def choose(kind: str, registry: Mapping[str, type[Any]], name: str, options: Mapping[str, Any]) -> Any:
    """The part of that name with these options.

    Raises:
        UserError: the name is unknown, or the part has no such option.
    """
    chosen = look_up(kind, registry, name)
    for given in sorted(options.keys() - chosen.options().keys()):
        flag = flag_of(given if options[given] is not False else f"no_{given}")
        users = " or ".join(other for other, part in registry.items() if given in part.options())
        raise UserError(f"{flag} is not used by --{kind} {name}; leave it out or pass --{kind} {users}")
    return chosen(**options)


def saved(registry: Mapping[str, type[Any]], part: Any) -> dict[str, Any]:
    """A part as JSON: its registered name and the values of its fields.

    Raises:
        ValueError: its class is not registered.
    """
    for name, cls in registry.items():
        if cls is type(part):
            return {"name": name, "options": dataclasses.asdict(part)}
    raise ValueError(f"{type(part).__name__} has no name; register it to save a model that has it")


def loaded(kind: str, registry: Mapping[str, type[Any]], config: Mapping[str, Any]) -> Any:
    """The part that `saved` wrote.

    Before runs had a format number, Keras wrote parts, by the name of their class.

    Raises:
        UserError: the name is not registered.
    """
    if "class_name" in config:
        names = {cls.__name__: name for name, cls in registry.items()}
        return look_up(kind, registry, names.get(config["class_name"], config["class_name"]))(**_own(config["config"]))
    fields = {name: tuple(value) if isinstance(value, list) else value for name, value in config["options"].items()}
    return look_up(kind, registry, config["name"])(**fields)


def _own(config: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a part, without the name and types that a Keras layer adds."""
    return {name: value for name, value in config.items() if name not in ("name", "trainable", "dtype")}
