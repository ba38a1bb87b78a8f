"""What the scripts share: flags, one-line errors, exit statuses."""

import argparse
import dataclasses
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from data.errors import UserError, nearest
from vae_keras.config import Config
from vae_keras.values import flag_of

WRONG_USE = 2
INTERRUPTED = 130


class Parser(argparse.ArgumentParser):
    """An argument parser that raises its complaints as UserError, and names the nearest flag."""

    def __init__(self, **kwargs: Any):
        super().__init__(
            allow_abbrev=False, formatter_class=lambda prog: argparse.HelpFormatter(prog, width=100), **kwargs
        )

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; see --help")

    def flags(self, arguments: Sequence[str] | None) -> argparse.Namespace:
        """The flags in these arguments, or on the command line; unknown ones are an error."""
        known, unknown = self.parse_known_args(arguments)
        if unknown:
            flags = [flag for action in self._actions for flag in action.option_strings]
            raise UserError(f"unknown argument {unknown[0]}; {nearest(unknown[0], flags)}")
        return known


def folder_path(typed: str) -> Path:
    """The folder that a user means, with ~ as their home."""
    return Path(typed).expanduser()


def add_settings(parser: Parser) -> None:
    """One flag for each field of `Config`; flags that are not given leave no trace in the result."""
    for field in dataclasses.fields(Config):
        kind, text = field.metadata["type"], field.metadata["help"]
        if kind is bool:
            parser.add_argument(
                flag_of(field.name), action=argparse.BooleanOptionalAction, default=argparse.SUPPRESS, help=text
            )
            continue
        default = "" if field.default is None else f" (default {field.default})"
        parser.add_argument(
            flag_of(field.name),
            type=kind,
            default=argparse.SUPPRESS,
            metavar=kind.__name__.upper(),
            help=text + default,
        )


def given_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """The settings that were typed, by field name."""
    names = {field.name for field in dataclasses.fields(Config)}
    return {name: value for name, value in vars(arguments).items() if name in names}


def run_script(name: str, script: Callable[[], None]) -> int:
    """Run a script's work; its exit status.

    A UserError or a refusal of the file system becomes one line on standard error and status 2.
    """
    logging.basicConfig(format=f"{name}: %(message)s", level=logging.INFO, stream=sys.stderr, force=True)
    try:
        script()
    except UserError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return WRONG_USE
    except OSError as refusal:
        where = refusal.filename or "the file system"
        print(f"{name}: {where}: {refusal.strerror or refusal}; pass another folder", file=sys.stderr)
        return WRONG_USE
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0
