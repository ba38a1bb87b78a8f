"""Values (objectives, likelihoods, architectures) that are chosen by name and saved with a model."""

import inspect
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Self, TypeVar

from common.errors import UserError, nearest

Value = TypeVar("Value")


class Saved:
    """Lets Keras save a frozen dataclass inside a model's configuration."""

    def get_config(self) -> dict[str, Any]:
        return asdict(self)  # type: ignore[call-overload]

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**config)


def flag_of(option: str) -> str:
    """The flag that sets an option: image_size -> --image-size."""
    return "--" + option.replace("_", "-")


def options_of(cls: type) -> dict[str, Any]:
    """What a value can be made with: names and defaults."""
    parameters = inspect.signature(cls).parameters.values()
    return {option.name: option.default for option in parameters if option.kind is option.POSITIONAL_OR_KEYWORD}


def look_up(kind: str, table: Mapping[str, Value], name: str) -> Value:
    """What the table has under that name.

    Raises:
        UserError: there is none; the line says which name is nearest.
    """
    if name not in table:
        raise UserError(f"unknown {kind} {name}; {nearest(name, table)}")
    return table[name]


def choose(kind: str, table: Mapping[str, type[Value]], name: str, options: Mapping[str, Any]) -> Value:
    """The value of that name, with the options that are not None.

    Raises:
        UserError: the name is unknown, or an option is one that this choice does not use.
    """
    chosen = look_up(kind, table, name)
    given = {option: value for option, value in options.items() if value is not None}
    for option in sorted(given.keys() - options_of(chosen)):
        flag = flag_of(option if given[option] is not False else f"no_{option}")
        users = " or ".join(other for other, cls in table.items() if option in options_of(cls))
        raise UserError(f"{flag} is not used by --{kind} {name}; leave it out or pass --{kind} {users}")
    return chosen(**given)
