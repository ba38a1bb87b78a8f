"""Frozen values (objectives, likelihoods, architectures) that are chosen by name and saved with a model."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, Self, TypeVar

from data.errors import UserError, nearest

Value = TypeVar("Value")


class Saved:
    """Lets Keras save a frozen dataclass inside a model's configuration."""

    def get_config(self) -> dict[str, Any]:
        return asdict(self)  # type: ignore[call-overload]

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**config)


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
    used = {field.name for field in fields(chosen)}  # type: ignore[arg-type]
    given = {option: value for option, value in options.items() if value is not None}
    for option in given.keys() - used:
        users = [other for other, cls in table.items() if option in {f.name for f in fields(cls)}]  # type: ignore[arg-type]
        raise UserError(
            f"--{option} is not used by --{kind} {name}; leave it out or pass --{kind} {' or '.join(users)}"
        )
    return chosen(**given)
