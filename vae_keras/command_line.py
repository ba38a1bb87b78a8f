"""What the scripts share: flags, one-line errors, exit statuses."""

import argparse
import dataclasses
import errno
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import tensorflow as tf

from data.errors import UserError, nearest
from vae_keras.config import Config, default_of
from vae_keras.values import flag_of

WRONG_USE = 2
FILE_SYSTEM_ERRORS = (tf.errors.PermissionDeniedError, tf.errors.FailedPreconditionError, tf.errors.NotFoundError)
INTERRUPTED = 130
EXHAUSTED = "memory is exhausted; pass a smaller --batch-size, --image-size or number of images"


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
        parser.add_argument(
            flag_of(field.name),
            type=kind,
            default=argparse.SUPPRESS,
            metavar=kind.__name__.upper(),
            help=f"{text} (default {default_of(field)})",
        )


def given_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """The settings that were typed, by field name."""
    names = {field.name for field in dataclasses.fields(Config)}
    return {name: value for name, value in vars(arguments).items() if name in names}


def run_script(name: str, script: Callable[[], None]) -> int:
    """Run a script's work; its exit status.

    A UserError, a refusal of the file system or a lack of memory becomes one line on standard error and status 2.
    """
    logging.basicConfig(format=f"{name}: %(message)s", level=logging.INFO, stream=sys.stderr, force=True)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # its warnings are about code, not about what was asked
    try:
        script()
    except UserError as error:
        return _complain(name, str(error))
    except OSError as refusal:
        where = refusal.filename or "the file system"
        return _complain(name, f"{where}: {refusal.strerror or refusal}; {_remedy(refusal.errno)}")
    except MemoryError:
        return _complain(name, EXHAUSTED)
    except tf.errors.OpError as refusal:
        # TensorFlow writes its logs itself, and has errors of its own for what the machine says.
        reason, full = str(refusal.message).partition("\n")[0], os.strerror(errno.ENOSPC) in str(refusal.message)
        if isinstance(refusal, tf.errors.ResourceExhaustedError) and not full:
            return _complain(name, EXHAUSTED)
        if not full and not isinstance(refusal, FILE_SYSTEM_ERRORS):
            raise
        return _complain(name, f"{reason}; {_remedy(errno.ENOSPC if full else None)}")
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


def _complain(name: str, message: str) -> int:
    print(f"{name}: {message}", file=sys.stderr)
    return WRONG_USE


def _remedy(code: int | None) -> str:
    """What helps against a refusal of the file system."""
    if code in (errno.ENOSPC, errno.EDQUOT):
        return "make room there, or pass another --run"
    return "pass a --run that can be written, such as a copy of the run elsewhere"
